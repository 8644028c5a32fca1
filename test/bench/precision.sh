#!/bin/bash
# How often the rules are wrong about source code: large source packages of Debian, one after another, are unpacked into
# an image archive and audited; what is found outside test folders is counted per rule and per 100 MB.
#
#   bash test/bench/precision.sh IMGBUILD [PACKAGE...]
#
# precision.triage beside this script says of each finding that a person has looked at what it is: `leak` (a credential,
# published in the source as it may be) or `wrong`. One line each: VERDICT RULE PATH, path globs allowed. What it does
# not name counts as wrong. Exit status: 1 where there is more than one wrong finding per 100 MB.
set -eu
imgbuild=$1
shift
here=$(cd "$(dirname "$0")" && pwd)
folder=${IMGBUILD_PRECISION:-/var/tmp/imgbuild-precision}
packages=${*:-wordpress ruby3.1 php8.2 nodejs python3.11 golang-1.19 python-django rails phpmyadmin}
mkdir -p "$folder/lists/partial"
options=(-qq -o "Dir::Etc::SourceList=$folder/sources.list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$folder/lists")
if [ ! -e "$folder/sources.list" ]; then
  echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main" >"$folder/sources.list"
  apt-get "${options[@]}" update
fi
rm -f "$folder/findings"
total=0
for package in $packages; do
  work=$folder/$package
  rm -rf "$work"
  mkdir -p "$work"
  (cd "$work" && apt-get "${options[@]}" source --download-only "$package" >/dev/null) || { echo "$package: not to be had" >&2; continue; }
  mkdir "$work/root"
  for part in "$work"/*.orig*.tar.*; do
    case $part in *.asc) continue ;; esac
    mkdir -p "$work/root/$(basename "$part" | sed 's/\.tar\..*//')"
    tar -xf "$part" -C "$work/root/$(basename "$part" | sed 's/\.tar\..*//')" --no-same-owner
  done
  python3 - "$work" <<'PYTHON'
import hashlib, io, json, os, sys, tarfile
work = sys.argv[1]
with tarfile.open(work + "/layer.tar", "w") as out:
    out.add(work + "/root", ".")
digest = hashlib.sha256()
with open(work + "/layer.tar", "rb") as file:
    while piece := file.read(1 << 20):
        digest.update(piece)
config = json.dumps({"os": "linux", "architecture": "amd64", "config": {}, "history": [{"created_by": "COPY"}],
                     "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest.hexdigest()]}}).encode()
name = hashlib.sha256(config).hexdigest() + ".json"
manifest = json.dumps([{"Config": name, "RepoTags": None, "Layers": ["1/layer.tar"]}]).encode()
with tarfile.open(work + "/image.tar", "w") as out:
    for path, content in ((name, config), ("manifest.json", manifest)):
        entry = tarfile.TarInfo(path)
        entry.size = len(content)
        out.addfile(entry, io.BytesIO(content))
    out.add(work + "/layer.tar", "1/layer.tar")
PYTHON
  bytes=$(stat -c %s "$work/layer.tar")
  total=$((total + bytes))
  "$imgbuild" audit --format json "archive:$work/image.tar" >"$work/report.json" 2>/dev/null || true
  python3 - "$work/report.json" "$package" <<'PYTHON' >>"$folder/findings"
import json, sys
for finding in json.load(open(sys.argv[1]))["images"][0]["leaks"]:
    for place in finding["locations"][:1]:
        print(finding["rule"], sys.argv[2] + ":" + place["path"].split("/", 1)[-1].replace(" ", "_"), place.get("line", 0))
PYTHON
  printf '%-16s %6d MB\n' "$package" $((bytes / 1000000))
  [ -n "${KEEP:-}" ] || rm -rf "$work"
done
python3 - "$folder/findings" "$here/precision.triage" "$total" <<'PYTHON'
import collections, fnmatch, re, sys
triage = [line.split(None, 2) for line in open(sys.argv[2]).read().splitlines() if line and line[0] != "#"]
hundreds = int(sys.argv[3]) / 1e8
count, wrong, tests = collections.Counter(), collections.Counter(), 0
for line in open(sys.argv[1]):
    rule, path, number = line.split()
    if re.search(r"(^|[/_.:-])(tests?|testing|spec|specs|testdata|fixtures?|mocks?|t|test-suite|mysql-test|unittest)s?([/_.-]|$)|[_.-]test[.]|_test\.", path, re.I):
        tests += 1
        continue
    verdict = next((v for v, r, p in triage if fnmatch.fnmatch(rule, r) and fnmatch.fnmatch(path, p)), "unknown")
    count[rule] += 1
    if verdict != "leak":
        wrong[rule] += 1
        if verdict == "unknown":
            print("to be looked at:", rule, path, number)
for rule, n in count.most_common():
    print(f"{rule:34} {n:5} found  {wrong[rule]:5} wrong  {wrong[rule] / hundreds:7.2f} per 100 MB")
print(f"all: {sum(count.values())} found in {hundreds * 100:.0f} MB outside tests ({tests} in tests), {sum(wrong.values())} wrong: {sum(wrong.values()) / hundreds:.2f} per 100 MB")
sys.exit(sum(wrong.values()) > hundreds)
PYTHON
