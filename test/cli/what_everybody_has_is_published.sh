# A public test key, and an archive that Go's source breaks on purpose, are told as published, with where they are from;
# neither hinders. The stager stages them, and says so.
. "$(dirname "$0")/_common.sh"

mkdir tree
python3 - <<'PYTHON'
import base64
# The example key of RFC 8410, section 10.3.
der = bytes.fromhex("302e020100300506032b657004220420" + "d4ee72dbf913584ad5b6d8f1f769f8ad" + "3afe7c28cbf1d4fbe097a88f44755842")
with open("tree/rfc.pem", "w") as out:
    dashes = "-" * 5
    for line in (dashes + "BEGIN PRIVATE KEY" + dashes, base64.b64encode(der).decode(), dashes + "END PRIVATE KEY" + dashes):
        out.write(line + "\n")
# archive/tar/testdata/writer-big.tar
tar = bytearray(512)
for at, text in ((0, b"tmp/16gig.txt"), (100, b"0000640"), (108, b"0216501"), (116, b"0011610"), (124, b"\x80"), (131, b"\x04"),
                 (136, b"11262231050"), (148, b"013123\0 0"), (257, b"ustar  "), (265, b"dsymonds"), (297, b"eng"),
                 (329, b"0000000"), (337, b"0000000")):
    tar[at:at + len(text)] = text
open("tree/writer-big.tar", "wb").write(tar)
PYTHON
layer layer.tar tree
archive app.tar layer.tar

expect 0 "$IMGBUILD" audit archive:app.tar
has "$t/out" 'published critical'
has "$t/out" 'public test key: '
has "$t/out" 'rfc.pem'
has "$t/out" 'published layer 0: writer-big.tar'
has "$t/out" 'verdict: clean'
expect 0 "$IMGBUILD" audit --format json archive:app.tar
is 'the published' 'rfc.pem' "$(jq -r '.images[0].published[].locations[].path' "$t/out")"
is 'the gap' 'truncated archive' "$(jq -r '.images[0].coverage.not_scanned[] | select(.published | contains("golang")) | .why' "$t/out")"

expect 0 "$IMGBUILD" stage tree -o context.tar
has "$t/out" 'note rfc.pem:1: '
has "$t/out" 'public test key: '
has <(tar -tf context.tar) rfc.pem

# One byte more, and nobody knows the archive; another key is a leak.
printf x >>tree/writer-big.tar
layer layer.tar tree
archive app.tar layer.tar
expect 3 "$IMGBUILD" audit archive:app.tar
make_key tree/own
layer layer.tar tree
archive app.tar layer.tar
expect 1 "$IMGBUILD" audit --format json archive:app.tar
is 'the leaks' 'own' "$(jq -r '.images[0].leaks[].locations[].path' "$t/out")"
