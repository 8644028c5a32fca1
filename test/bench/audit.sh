#!/bin/bash
# How fast an image archive is audited, beside what no audit can do without: reading it (cat) and hashing it (openssl).
#
#   bash test/bench/audit.sh IMGBUILD [ARCHIVE]
#
# Without an archive one is made of a large Debian root (mmdebstrap; about 1.5 GB, kept for the next run).
set -eu
imgbuild=$1
folder=${IMGBUILD_BENCH:-/var/tmp/imgbuild-bench}
archive=${2:-$folder/image.tar}

if [ ! -e "$archive" ]; then
  mkdir -p "$folder"
  mmdebstrap --variant=apt --include=python3,nodejs,npm,git,golang,ruby,build-essential,nginx,openjdk-17-jdk-headless \
    bookworm "$folder/root.tar"
  python3 - "$folder/root.tar" "$archive" <<'PYTHON'
import hashlib, io, json, sys, tarfile
layer, archive = sys.argv[1:]
digest = hashlib.sha256()
with open(layer, "rb") as file:
    while piece := file.read(1 << 20):
        digest.update(piece)
config = json.dumps({"os": "linux", "architecture": "amd64", "config": {},
                     "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest.hexdigest()]},
                     "history": [{"created_by": "mmdebstrap"}]}).encode()
name = hashlib.sha256(config).hexdigest() + ".json"
manifest = json.dumps([{"Config": name, "RepoTags": ["bench:1"], "Layers": ["1/layer.tar"]}]).encode()
with tarfile.open(archive, "w") as out:
    for path, content in ((name, config), ("manifest.json", manifest)):
        entry = tarfile.TarInfo(path)
        entry.size = len(content)
        out.addfile(entry, io.BytesIO(content))
    out.add(layer, "1/layer.tar")
PYTHON
fi

size=$(stat -c %s "$archive")
measure() {  # NAME COMMAND...: seconds, MB/s, processor seconds, peak memory
  local name=$1
  shift
  # An audit that finds something ends with 1: the figures are the last line all the same.
  command time -f '%e %U %S %M' "$@" >/dev/null 2>"$errors" || true
  tail -n 1 "$errors" | awk -v name="$name" -v size="$size" \
    '{ printf "%-22s %7.2f s %8.0f MB/s %7.2f s of processor %6d MB\n", name, $1, size / 1e6 / ($1 + 0.001), $2 + $3, $4 / 1024 }'
}
errors=$(mktemp)
trap 'rm -f "$errors"' EXIT

cat "$archive" >/dev/null  # into the page cache
printf '%s: %d MB, %d processors, load %s\n' "$archive" $((size / 1000000)) "$(nproc)" "$(cut -d' ' -f1 /proc/loadavg)"
measure 'cat' cat "$archive"
measure 'openssl dgst -sha256' openssl dgst -sha256 "$archive"
measure 'imgbuild audit' "$imgbuild" audit --format json "archive:$archive"
