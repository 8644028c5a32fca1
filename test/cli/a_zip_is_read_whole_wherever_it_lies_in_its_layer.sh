# Small files are looked at where they lie in the mapped archive, but one across the border of two pieces is a copy: what
# is opened there must stay as it is until it was read.
. "$(dirname "$0")/_common.sh"
make_key id
for place in 1000 900000 1040000; do
  python3 - "$place" <<'PYTHON'
import io, random, sys, tarfile, zipfile
packed = io.BytesIO()
with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
    for number in range(100):
        out.writestr(f"{number}", random.Random(number).randbytes(2000))
    out.write("id")
with tarfile.open("at.l", "w") as layer:
    for name, data in (("before", b"\n" * int(sys.argv[1])), ("a.zip", packed.getvalue())):
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        layer.addfile(entry, io.BytesIO(data))
PYTHON
  archive at.tar at.l
  expect 1 "$IMGBUILD" audit --no-cache --format json archive:at.tar
  is "found in the zip at $place" id "$(jq -r '[.images[0].leaks[] | select(.key)][0].locations[0].inside[0]' "$t/out")"
  is "not looked at in the zip at $place" 0 "$(jq '.images[0].coverage.not_scanned | length' "$t/out")"
done
