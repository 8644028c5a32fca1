# The verdict of an archive, its exit code, its JSON; leak beats incomplete beats clean, over all targets.
. "$(dirname "$0")/_common.sh"
mkdir -p clean/etc leak/root/.ssh deleted/root/.ssh odd/srv
echo hello >clean/etc/motd
make_key leak/root/.ssh/id_ed25519
fingerprint=$(ssh-keygen -lf leak/root/.ssh/id_ed25519.pub | cut -d' ' -f2)
: >deleted/root/.ssh/.wh.id_ed25519
layer clean.l clean
layer leak.l leak
layer deleted.l deleted
archive clean.tar clean.l
archive leak.tar clean.l leak.l deleted.l

expect 0 "$IMGBUILD" audit archive:clean.tar
is "the last line" "verdict: clean" "$(tail -n1 "$t/out")"
expect 0 "$IMGBUILD" audit - <clean.tar
gzip -k clean.tar
expect 0 "$IMGBUILD" audit ./clean.tar.gz

expect 1 "$IMGBUILD" audit archive:leak.tar
for word in root/.ssh/id_ed25519 'RUN step 1' 'deleted by layer 2' "$fingerprint" '[[allow]]' 'verdict: leak'; do has "$t/out" "$word"; done
expect 1 "$IMGBUILD" audit archive:leak.tar --format json
cp "$t/out" leak.json
is schema imgbuild.audit/1 "$(jq -r .schema leak.json)"
is verdict leak "$(jq -r .verdict leak.json)"
is leaks 1 "$(jq '.images[0].leaks | map(select(.rule | test("private-key"))) | length' leak.json)"
is state deleted "$(jq -r '[.images[0].leaks[] | select(.key)][0].locations[0].state' leak.json)"
is by_layer 2 "$(jq -r '[.images[0].leaks[] | select(.key)][0].locations[0].by_layer' leak.json)"
is fingerprint "$fingerprint" "$(jq -r '[.images[0].leaks[] | select(.key)][0].key.fingerprint' leak.json)"
is layers 3 "$(jq '.images[0].layers | length' leak.json)"
is id "sha256:$(tar -xOf leak.tar manifest.json | jq -r '.[0].Config' | sed 's/\.json$//')" "$(jq -r '.images[0].id' leak.json)"
expect 1 "$IMGBUILD" audit - --format json <leak.tar
is "the same from a stream" "$(jq -cS '.images[0].leaks | map(del(.allow))' leak.json)" "$(jq -cS '.images[0].leaks | map(del(.allow))' "$t/out")"
expect 1 "$IMGBUILD" audit archive:leak.tar --output report.txt
is "standard output" "" "$(cat "$t/out")"
has report.txt 'verdict: leak'

# A token in ENV.
token=$(make_token)
CONFIG="{\"Env\": [\"PATH=/bin\", \"NPM_TOKEN=$token\"]}" archive env.tar clean.l
expect 1 "$IMGBUILD" audit archive:env.tar
has "$t/out" Env.NPM_TOKEN
hasnt "$t/out" "$token"

# An archive with a password cannot be looked at.
echo hidden >odd/srv/plain
(cd odd/srv && python3 - <<'PYTHON'
# A zip whose one member says that it is encrypted.
import struct
data, name = b"0123456789ab" + bytes(range(40)), b"a.txt"
local = struct.pack("<IHHHHHIIIHH", 0x04034b50, 20, 1, 0, 0, 0x21, 0x12345678, len(data), 40, len(name), 0) + name + data
central = struct.pack("<IHHHHHHIIIHHHHHII", 0x02014b50, 20, 20, 1, 0, 0, 0x21, 0x12345678, len(data), 40, len(name), 0, 0, 0, 0, 0, 0) + name
open("secret.zip", "wb").write(local + central + struct.pack("<IHHHHIIH", 0x06054b50, 0, 0, 1, 1, len(central), len(local), 0))
PYTHON
)
layer odd.l odd
archive odd.tar odd.l
expect 3 "$IMGBUILD" audit archive:odd.tar
has "$t/out" srv/secret.zip
has "$t/out" 'verdict: incomplete'
expect 3 "$IMGBUILD" audit archive:odd.tar --format json
is verdict incomplete "$(jq -r .verdict "$t/out")"
# Somebody answers for it.
cat >own.toml <<TOML
[[allow]]
path = "srv/secret.zip"
sha256 = "$(sha256sum <odd/srv/secret.zip | cut -d' ' -f1)"
reason = "encrypted on purpose"
TOML
expect 0 "$IMGBUILD" audit --config own.toml archive:odd.tar
has "$t/out" 'encrypted on purpose'
# And for the key, by the entry that the report prints.
jq -r '.images[0].leaks[].allow' leak.json | sed 's/reason = "..."/reason = "of the login suite"/' >own.toml
expect 0 "$IMGBUILD" audit --config own.toml archive:leak.tar
has "$t/out" 'of the login suite'

expect 0 "$IMGBUILD" audit archive:clean.tar archive:clean.tar
expect 3 "$IMGBUILD" audit archive:clean.tar archive:odd.tar
expect 1 "$IMGBUILD" audit archive:odd.tar archive:leak.tar archive:clean.tar
expect 3 "$IMGBUILD" audit archive:clean.tar archive:missing.tar
has "$t/out" 'NOT AUDITED'
has "$t/out" 'verdict: incomplete'
expect 1 "$IMGBUILD" audit archive:missing.tar archive:leak.tar
