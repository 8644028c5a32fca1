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

# end_jobs: ends what this shell started in the background, and waits for it. For the traps of tests: one that fails
# half-way leaves no server behind, nor anything that holds its output open.
end_jobs() {
  local i
  # shellcheck disable=SC2046 # words
  [ -z "$(jobs -pr)" ] || kill $(jobs -pr) 2>/dev/null || true
  for i in $(seq 300); do
    [ -n "$(jobs -pr)" ] || break
    sleep 0.1
  done
  # shellcheck disable=SC2046 # words
  [ -z "$(jobs -pr)" ] || kill -9 $(jobs -pr) 2>/dev/null || true
}
# eventually COMMAND...: waits for it to succeed; false when it has not within a minute.
eventually() {
  local i
  for i in $(seq 600); do
    "$@" && return
    sleep 0.1
  done
  return 1
}
# started PID COMMAND...: the same; false at once where process PID has ended.
started() {
  local i pid=$1
  shift
  for i in $(seq 600); do
    "$@" && return
    kill -0 "$pid" 2>/dev/null || return 1
    sleep 0.1
  done
  return 1
}
# A port of loopback that nobody listens at now. Who listens later may find it taken: try again, or see that it is yours.
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

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
