#!/bin/bash
# How long it takes to stage a tree of 60,000 files, beside what nobody can do without (reading and hashing it):
#
#   bash test/bench/staging.sh IMGBUILD [FOLDER]     FOLDER: a tree of your own, which nothing else writes to
#
# Prints the median of $ROUNDS (5) rounds of each, all in one run, and two ratios: cold (nothing is known of the tree) to
# `tar -c | openssl dgst -sha256`, which may be 2, and the second staging, into a file that is not there yet, to the
# cold one, which may be 0.5. The tree is made once, in $IMGBUILD_BENCH (/var/tmp/imgbuild-bench).
set -eu
imgbuild=$(realpath "$1")
bench=${IMGBUILD_BENCH:-/var/tmp/imgbuild-bench}
tree=${2:-$bench/staging-tree}
work=$(mktemp -d "${TMPDIR:-/var/tmp}/staging.XXXXXX")
trap 'rm -rf "$work"' EXIT
if [ ! -d "$tree" ]; then
  mkdir -p "$bench"
  python3 - "$tree.part" <<'PYTHON'
import os, random, sys
dice = random.Random(1)
words = ["".join(dice.choices("etaoinshrdlucmfwypvbgkjqxz", range(26, 0, -1), k=dice.randint(2, 11))) for _ in range(5000)]
shapes = ["    {} = {}({}, {})\n", "  if ({} == {}) return {}.{};\n", "// {} {} {} {}\n", 'import {{ {} }} from "./{}/{}{}";\n', "\n"]
text = [dice.choice(shapes).format(*dice.choices(words, k=4)) for _ in range(200000)]
for number in range(60000):
    folder = f"{sys.argv[1]}/{number // 3000:02}-{words[number // 3000]}/{number // 60 % 50:02}"
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/{words[number % 5000]}{number}.{dice.choice(['c', 'js', 'py', 'md'])}", "w") as file:
        start, lines = dice.randrange(190000), min(int(dice.lognormvariate(4, 1)), 5000)
        file.write("".join(text[start:start + lines]))
PYTHON
  mv "$tree.part" "$tree"
  sleep 3 # what was written just now has no lasting state yet
fi
export XDG_CACHE_HOME=$work/cache XDG_STATE_HOME=$work/state XDG_CONFIG_HOME=$work/config
cold() { rm -rf "$XDG_CACHE_HOME" "$work/cold.tar"; "$imgbuild" stage "$tree" -o "$work/cold.tar"; }
again() { rm -f "$work/again.tar"; "$imgbuild" stage "$tree" -o "$work/again.tar"; }
same() { "$imgbuild" stage "$tree" -o "$work/again.tar"; }
known() { "$imgbuild" stage "$tree"; }
hashed() { tar -c -C "$tree" . | openssl dgst -sha256; }
hashed >/dev/null # into the page cache
for _ in $(seq "${ROUNDS:-5}"); do
  for way in hashed cold again same known; do
    began=$(date +%s%N)
    $way >"$work/out" 2>&1 || { cat "$work/out" >&2; exit 1; }
    printf '%s %s\n' "$way" "$(($(date +%s%N) - began))" >>"$work/times"
  done
  cmp "$work/cold.tar" "$work/again.tar"
done
printf '%s files, %s MB, %s processors, load %s\n' "$(find "$tree" -type f | wc -l)" "$(($(stat -c %s "$work/cold.tar") / 1000000))" \
  "$(nproc)" "$(cut -d' ' -f1 /proc/loadavg)"
median() { awk -v way="$1" '$1 == way { print $2 }' "$work/times" | sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }
row() { awk -v name="$1" -v took="$(median "$2")" -v base="$(median "$3")" -v than="$4" 'BEGIN { printf "%-52s %7.3f s  %5.2f %s\n", name, took / 1e9, took / base, than }'; }
row 'tar -c | openssl dgst -sha256' hashed hashed ''
row 'stage -o, nothing known' cold hashed 'of that'
row 'stage -o, unchanged, a new file' again cold 'of the one before'
row 'stage -o, unchanged, the file is there' same cold ''
row 'stage, unchanged, no file' known cold ''
