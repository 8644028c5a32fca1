# `imgbuild audit --quiet`: the image's id, and nothing else, where it is clean; else why not, and no id.
. "$(dirname "$0")/_common.sh"
mkdir -p clean/etc leak/srv
echo hello >clean/etc/motd
make_key leak/srv/key
layer clean.l clean
layer leak.l leak
archive clean.tar clean.l
archive leak.tar clean.l leak.l
id=sha256:$(tar -xOf clean.tar manifest.json | jq -r '.[0].Config' | sed 's/\.json$//')
expect 0 "$IMGBUILD" audit --quiet archive:clean.tar
is "the id" "$id" "$(cat "$t/out")"
is talk "" "$(cat "$t/err")"
expect 1 "$IMGBUILD" audit --quiet archive:leak.tar
is "standard output" "" "$(cat "$t/out")"
has "$t/err" 'verdict: leak'
# Of several, all or none.
expect 1 "$IMGBUILD" audit -q archive:clean.tar archive:leak.tar
is "standard output" "" "$(cat "$t/out")"
expect 0 "$IMGBUILD" audit -q archive:clean.tar archive:clean.tar
is ids 2 "$(grep -c "^$id\$" "$t/out")"
# A report beside it goes into a file.
expect 0 "$IMGBUILD" audit -q archive:clean.tar --report json=r.json
is verdict clean "$(jq -r .verdict r.json)"
expect 2 "$IMGBUILD" audit -q archive:clean.tar --format json
one_line 'standard output'
