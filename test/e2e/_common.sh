# Read by every e2e script: the engine, a folder of its own, and words to expect with.
# An engine that cannot be started is a failure here, not a skip; another than Debian's Docker that
# this machine cannot have is said (77).
. "$(dirname "${BASH_SOURCE[0]}")/../_common.sh"
. "$SOURCE/test/e2e/_engine.sh"
. "$SOURCE/test/e2e/_ssh.sh"
. "$SOURCE/test/e2e/_hidden.sh"
IMGBUILD=${IMGBUILD:-$SOURCE/build/dev/bin/imgbuild}
name=$(basename "$0" .sh)
t=$(mktemp -d "${TMPDIR:-/tmp}/e2e-$name.XXXXXX")
export HOME=$t/home XDG_STATE_HOME=$t/home/state XDG_CONFIG_HOME=$t/home/config XDG_CACHE_HOME=$t/home/cache TMPDIR=$t/tmp
mkdir -p "$HOME/.ssh" "$XDG_STATE_HOME" "$XDG_CONFIG_HOME" "$TMPDIR"
export ASAN_OPTIONS=detect_leaks=0 # a process that forbids dumps cannot be traced, which leak detection does

at_end() {
  local status=$?
  set +e
  end_jobs
  engine_hidden_down
  export DOCKER_HOST=${ENGINE_HOST:-} # whatever engine the script went on to
  for image in $(docker images -q "e2e/$name" 2>/dev/null | sort -u); do docker rmi -f "$image" >/dev/null 2>&1; done
  [ $status = 0 ] || [ $status = 77 ] && rm -rf "$t" || printf 'left for a look: %s\n' "$t"
}
trap at_end EXIT # before anything is started

engine_up || exit $?
ENGINE_HOST=$DOCKER_HOST
engine_base_busybox
docker() { command docker "$@"; }

fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
# ran STATUS COMMAND...: runs it, its output in $t/out and $t/err, and wants that exit status.
ran() {
  local want=$1 got=0
  shift
  "$@" >"$t/out" 2>"$t/err" || got=$?
  [ "$got" = "$want" ] || { sed 's/^/  out: /' "$t/out"; sed 's/^/  err: /' "$t/err"; fail "exit status $got, not $want: $*"; } >&2
}
# until_said WORD [FILE]: waits for it to be in the file ($t/err), where something in the background writes.
until_said() { eventually grep -qsF -- "$1" "${2:-$t/err}" || { cat "${2:-$t/err}"; fail "it never said: $1"; } >&2; }
has() { grep -qF -- "$2" "$1" || { sed 's/^/  /' "$1"; fail "not in $1: $2"; } >&2; }
hasnt() { ! grep -qF -- "$2" "$1" || { sed 's/^/  /' "$1"; fail "in $1, though it must not be: $2"; } >&2; }
no_image() { ! docker image inspect "$1" >/dev/null 2>&1 || fail "the image $1 exists"; }
# What the engine has besides named images: containers, volumes, untagged images.
engine_rest() {
  docker ps -aq --no-trunc --filter label=imgbuild.build
  docker volume ls -q
  docker images -q --no-trunc --filter dangling=true | sort -u
}
engine_rest >"$t/rest"
# nothing_left: nothing is there that was not when the script began.
nothing_left() {
  local left
  left=$(engine_rest | grep -vxF -f "$t/rest" || true)
  [ -z "$left" ] || { docker ps -a; docker images -a; fail "left behind: $left"; } >&2
}
# layer_paths IMAGE: the paths of its newest layer, sorted.
layer_paths() {
  docker save "$1" >"$t/layers.tar"
  local newest
  newest=$(tar -xOf "$t/layers.tar" manifest.json | jq -r '.[0].Layers[-1]')
  tar -xOf "$t/layers.tar" "$newest" | zcat -f | tar -t | sort
}
