#!/bin/bash
# How much memory an audit takes at most, whatever the image holds: a layer of 20 GB, a file of 8 GB, a zip of 3 GB and a
# git pack of 1 GB, each in an archive that comes on standard input; and a folder of 60,000 small files.
#
#   bash test/bench/memory.sh IMGBUILD [PERCENT]
#
# PERCENT of those sizes (100). Takes four times the zip's size of disk in $TMPDIR while it runs.
set -eu
imgbuild=$1
percent=${2:-100}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat > "$folder/image.py" <<'PYTHON'
"""An image archive on standard output: one layer, made as it is written."""
import hashlib, io, json, os, sys, tarfile

kind, size, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
random = os.urandom(16 << 20)


def content(total, first):
    """Zeros and random bytes by turns."""
    left, turn = total, first
    while left > 0:
        piece = (random if turn % 2 else bytes(16 << 20))[:left]
        left -= len(piece)
        turn += 1
        yield piece


files = []
if kind == "layer":
    files = [("data/%d" % i, 100_000_000, content) for i in range(max(size // 100_000_000, 1))]
elif kind == "file":
    files = [("data/large", size, content)]
else:
    def from_disk(total, first):
        with open(path, "rb") as file:
            while piece := file.read(1 << 20):
                yield piece
    files = [("data/" + os.path.basename(path), os.path.getsize(path), from_disk)]

out, digest = sys.stdout.buffer, hashlib.sha256()


def header(name, length):
    entry = tarfile.TarInfo(name)
    entry.size = length
    return entry.tobuf(tarfile.GNU_FORMAT)


blocks = lambda length: -(-length // 512) * 512
total = sum(512 + blocks(length) for _, length, _ in files) + 1024
out.write(header("1/layer.tar", total))


def write(piece):
    digest.update(piece)
    out.write(piece)


for number, (name, length, pieces) in enumerate(files):
    write(header(name, length))
    for piece in pieces(length, number):
        write(piece)
    write(bytes(blocks(length) - length))
write(bytes(1024))
out.write(bytes(blocks(total) - total))
config = json.dumps({"os": "linux", "architecture": "amd64", "config": {}, "history": [{"created_by": "COPY"}],
                     "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest.hexdigest()]}}).encode()
name = hashlib.sha256(config).hexdigest() + ".json"
manifest = json.dumps([{"Config": name, "RepoTags": ["memory:1"], "Layers": ["1/layer.tar"]}]).encode()
for member, text in ((name, config), ("manifest.json", manifest)):
    out.write(header(member, len(text)) + text + bytes(blocks(len(text)) - len(text)))
out.write(bytes(1024))
PYTHON

measure() {  # NAME KIND SIZE PATH
  local name=$1
  shift
  python3 "$folder/image.py" "$@" | told "$name" -
}

told() {  # NAME TARGET
  local name=$1
  command time -f '%e %M' "$imgbuild" audit --no-cache --format json "$2" >"$folder/report" 2>"$folder/said" || true
  tail -n 1 "$folder/said" | awk -v name="$name" '{ printf "%-28s %8.1f s %6d MiB at most", name, $1, $2 / 1024 }'
  python3 - "$folder/report" <<'PYTHON'
import json, sys
report = json.load(open(sys.argv[1]))
seen = report["images"][0]["coverage"]
print("  %s, %d archives, %d git objects" % (report["verdict"], seen["archives"], seen["git_objects"]),
      "; ".join(sorted({gap["why"] for gap in seen["not_scanned"]})))
PYTHON
}

bytes_of() { echo $(($1 * percent / 100)); }

measure 'a layer of 20 GB' layer "$(bytes_of 20000000000)" -
measure 'a file of 8 GB' file "$(bytes_of 8000000000)" -

python3 - "$folder/large.zip" "$(bytes_of 3000000000)" <<'PYTHON'
import os, sys, zipfile
path, size = sys.argv[1], int(sys.argv[2])
random = os.urandom(8 << 20)
with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
    while archive.fp.tell() < size:
        name = "%d" % len(archive.filelist)
        with archive.open(name, "w", force_zip64=True) as member:
            for i in range(8):
                member.write(random)
PYTHON
measure 'a zip of 3 GB' disk 0 "$folder/large.zip"
rm "$folder/large.zip"

git init -q "$folder/r"
python3 - "$folder/r" "$(bytes_of 1000000000)" <<'PYTHON' | git -C "$folder/r" fast-import --quiet
import os, sys
size, out = int(sys.argv[2]), sys.stdout.buffer
for number in range(max(size // 20_000_000, 1)):
    out.write(b"commit refs/heads/main\ncommitter a <a@b> %d +0000\ndata 1\nx\n" % (1_000_000_000 + number))
    for i in range(19):
        content = os.urandom(1_000_000) + b"\nand some text\n"
        out.write(b"M 644 inline file%d\ndata %d\n" % (i, len(content)) + content + b"\n")
    text = b"".join(b"line %d of %d\n" % (i, number) for i in range(60000))
    out.write(b"M 644 inline text\ndata %d\n" % len(text) + text + b"\n")
PYTHON
pack=$(ls "$folder"/r/.git/objects/pack/*.pack)
measure 'a pack of 1 GB' disk 0 "$pack"

mkdir "$folder/tree"
python3 - "$folder/tree" "$(bytes_of 60000)" <<'PYTHON'
import gzip, os, sys
path, count = sys.argv[1], int(sys.argv[2])
for number in range(count):
    if number % 1000 == 0:
        os.mkdir("%s/%d" % (path, number // 1000))
    text = b"".join(b"line %d of file %d\n" % (i, number) for i in range(number % 400))
    with open("%s/%d/%d" % (path, number // 1000, number), "wb") as file:
        file.write(gzip.compress(text, 1) if number % 2 else text)
PYTHON
told 'a folder of 60,000 files' "dir:$folder/tree"
