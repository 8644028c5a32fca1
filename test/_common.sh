# Read by test/all, test/demo and the scripts in cli/ and e2e/: what a machine needs, and how the program is built.
set -euo pipefail
SOURCE=${SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
# Where engines, base images and the like are kept from one run to the next.
export IMGBUILD_TEST_DIR=${IMGBUILD_TEST_DIR:-/var/tmp/imgbuild-test}

say() { printf '%s\n' "$*"; }
die() {
  printf '%s\n' "$*" >&2
  exit 1
}

# As root, with sudo where that is the way.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# install_packages FILE: installs the packages that it lists and that are missing, from Debian's archive.
install_packages() {
  local missing
  missing=$(grep -v '^#' "$1" | while read -r package; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || printf '%s ' "$package"
  done)
  [ -n "$missing" ] || return 0
  say "installing: $missing"
  export DEBIAN_FRONTEND=noninteractive
  local log
  log=$(mktemp)
  # shellcheck disable=SC2086 # the list is words
  { as_root apt-get update -q && as_root apt-get install -y -q --no-install-recommends $missing; } >"$log" 2>&1 ||
    { tail -n 20 "$log" >&2; rm -f "$log"; die "the packages could not be installed (as root, or with sudo?)"; }
  rm -f "$log"
}

# build PRESET [TARGET...]: configures and builds; prints only what goes wrong.
build() {
  local preset=$1 log
  shift
  log=$(mktemp)
  { cmake --preset "$preset" -S "$SOURCE" && cmake --build "$SOURCE/build/$preset" "${@/#/--target=}"; } >"$log" 2>&1 ||
    { grep -E 'error|Error|FAILED|warning:' "$log" | head -n 40 >&2; tail -n 15 "$log" >&2; rm -f "$log"; die "the build failed"; }
  rm -f "$log"
}
