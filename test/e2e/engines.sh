# One list of cases on every engine that this machine has: Docker with the classic store, the newest Docker with
# containerd's store (where it was built: see _engine.sh), podman. Prints a table, each cell `ok` or why it cannot be.
# ENGINES="podman newest" chooses; IMGBUILD_TEST_ENGINE=podman bash test/e2e/NAME.sh runs any other script on one.
set -u
here=$(cd "$(dirname "$0")" && pwd)
results=$(mktemp -d) || exit 1
trap 'rm -rf "$results"' EXIT
failed=0
read -ra engines <<<"${ENGINES:-docker podman newest}"
for engine in "${engines[@]}"; do
  began=$SECONDS
  status=0
  RESULTS=$results/$engine IMGBUILD_TEST_ENGINE=$engine bash "$here/_engine_cases.sh" >"$results/$engine.out" 2>&1 || status=$?
  if [ $status = 77 ]; then
    # Not one line a case: the engine as a whole is not here.
    sed 's/^cannot be tested here: [^:]*: /cannot be tested here: /' "$results/$engine.out" >"$results/$engine.lacks"
  elif [ $status != 0 ]; then
    failed=1
    sed "s/^/$engine: /" "$results/$engine.out"
  fi
  echo "$engine: $((SECONDS - began)) s"
done
python3 - "$results" "${engines[@]}" <<'PYTHON'
import os, sys
folder, engines = sys.argv[1], sys.argv[2:]
table, notes = {}, []
for engine in engines:
    lacks = os.path.join(folder, engine + ".lacks")
    if os.path.exists(lacks):
        notes.append(f"{engine}: {open(lacks).read().strip()}")
    path = os.path.join(folder, engine)
    for line in open(path) if os.path.exists(path) else []:
        case, result = line.rstrip("\n").split("\t", 1)
        word, _, why = result.partition(": ")
        if why:
            notes.append(f"{engine}: {case}: {why}")
        table.setdefault(case, {})[engine] = word
width = max((len(case) for case in table), default=4)
print(" " * width, *(f"{engine:9}" for engine in engines), sep="  ")
for case, row in table.items():
    print(f"{case:{width}}", *(f"{row.get(engine, '-'):9}" for engine in engines), sep="  ")
print(*notes, sep="\n")
PYTHON
exit $failed
