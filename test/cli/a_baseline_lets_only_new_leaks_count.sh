# What a team knows of already is told, and hinders no more; what is new does.
. "$(dirname "$0")/_common.sh"
token=$(make_token)
mkdir -p one/srv two/srv more/srv odd/srv
printf 'token=%s\n' "$token" >one/srv/.npmrc
echo base >two/srv/base
make_key more/srv/key
layer one.l one
layer two.l two
layer more.l more
archive one.tar one.l

expect 1 "$IMGBUILD" audit archive:one.tar --write-baseline known.json
hasnt known.json "$token"
is schema imgbuild.baseline/1 "$(jq -r .schema known.json)"
is place '*:srv/.npmrc' "$(jq -r '.leaks[0].at' known.json)"
expect 0 "$IMGBUILD" audit archive:one.tar --baseline known.json
has "$t/out" 'known     '
is "the last line" 'verdict: clean (1 secret known from the baseline)' "$(tail -n1 "$t/out")"
expect 0 "$IMGBUILD" audit archive:one.tar --baseline known.json --format json
is known 1 "$(jq '.images[0].known | length' "$t/out")"
is leaks 0 "$(jq '.images[0].leaks | length' "$t/out")"

# Another layer below it changes nothing; a new secret, or another one in the same place, does.
archive two.tar two.l one.l
expect 0 "$IMGBUILD" audit archive:two.tar --baseline known.json
archive more.tar one.l more.l
expect 1 "$IMGBUILD" audit archive:more.tar --baseline known.json
has "$t/out" 'srv/key'
has "$t/out" 'verdict: leak: 1 secret in 1 image (1 secret known from the baseline)'
printf 'token=%s\n' "$(make_token)" >one/srv/.npmrc
layer other.l one
archive other.tar other.l
expect 1 "$IMGBUILD" audit archive:other.tar --baseline known.json
# The key by its fingerprint.
expect 1 "$IMGBUILD" audit archive:more.tar --baseline known.json --write-baseline both.json
is "the fingerprint" "$(ssh-keygen -lf more/srv/key.pub | cut -d' ' -f2)" "$(jq -r '.leaks[].identity | select(startswith("SHA256:"))' both.json)"
expect 0 "$IMGBUILD" audit archive:more.tar --baseline both.json

# It never hides that something could not be looked at.
head -c 3000 /dev/urandom | gzip >whole.gz
head -c 2000 whole.gz >odd/srv/cut.gz
layer odd.l odd
archive odd.tar one.l odd.l
expect 1 "$IMGBUILD" audit archive:odd.tar --write-baseline all.json
expect 3 "$IMGBUILD" audit archive:odd.tar --baseline all.json
has "$t/out" 'verdict: incomplete'

# A damaged one is no baseline.
for damage in '{' '{}' '{"schema": "imgbuild.baseline/1", "salt": "AAAA", "leaks": []}'; do
  printf '%s' "$damage" >damaged.json
  expect 3 "$IMGBUILD" audit archive:one.tar --baseline damaged.json
  one_line 'damaged.json: damaged baseline: '
done
expect 3 "$IMGBUILD" audit archive:one.tar --baseline missing.json
one_line 'missing.json'
