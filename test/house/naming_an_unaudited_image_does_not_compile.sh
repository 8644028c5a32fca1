# The mission as a type: an image is named with a Cleared, and nobody but a clean audit makes one. Each program below is
# the same but for one expression; the first compiles, so that the others fail for that expression alone.
compiles() {
  "${CXX:-c++}" -std=c++20 -fsyntax-only -I"$SOURCE/lib" -x c++ - 2>"$log" <<END
#include "engine/engine.hpp"
using namespace imgbuild;
void name_it(Engine& engine, const Audit& audit, const ImageRecord& record) {
  (void)audit;
  (void)record;
  $1;
}
END
}

log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT

compiles 'if (auto cleared = audit.clear("handle")) engine.tag(*cleared, "name")' ||
  { echo "what should compile does not:"; cat "$log"; exit 1; }

while IFS= read -r wrong; do
  if compiles "$wrong"; then
    echo "compiles: $wrong"
    exit 1
  fi
  grep -q 'error:' "$log" || { echo "the compiler failed otherwise: $wrong"; cat "$log"; exit 1; }
done <<'END'
engine.tag(std::string("sha256:0"), "name")
engine.tag({"sha256:0", "handle"}, "name")
engine.tag(Cleared("sha256:0", "handle"), "name")
engine.tag(Cleared{}, "name")
engine.tag(audit.clear("handle"), "name")
engine.tag(Audit(record).clear("handle").value(), "name")
struct Mine : Audit { explicit Mine(ImageRecord r) : Audit(r) {} }; engine.tag(*Mine(record).clear("handle"), "name")
END
