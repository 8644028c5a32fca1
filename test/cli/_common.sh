# Read by every script of this folder: a folder of its own in $t, a home of its own, and words to expect with.
. "$(dirname "${BASH_SOURCE[0]}")/../_common.sh"
name=$(basename "$0" .sh)
t=$(mktemp -d "${TMPDIR:-/tmp}/cli-$name.XXXXXX")
export HOME=$t/home XDG_CONFIG_HOME=$t/config XDG_STATE_HOME=$t/state XDG_CACHE_HOME=$t/cache TMPDIR=$t/tmp
mkdir -p "$HOME/.ssh" "$XDG_CONFIG_HOME/imgbuild" "$XDG_STATE_HOME" "$TMPDIR" "$t/work"
unset SSH_AUTH_SOCK DOCKER_HOST DOCKER_CONTEXT NO_COLOR
export ASAN_OPTIONS=detect_leaks=0 # a process that forbids dumps cannot be traced, which leak detection does

at_end() {
  local status=$?
  set +e
  end_jobs
  if [ $status = 0 ] || [ $status = 77 ]; then rm -rf "$t"; else printf 'left for a look: %s\n' "$t" >&2; fi
}
trap at_end EXIT # before anything is started
cd "$t/work"

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}
# expect STATUS COMMAND...: runs it, its output in $t/out and $t/err, and wants that exit status.
expect() {
  local want=$1 got=0
  shift
  "$@" >"$t/out" 2>"$t/err" || got=$?
  [ "$got" = "$want" ] || {
    sed 's/^/  out: /' "$t/out" >&2
    sed 's/^/  err: /' "$t/err" >&2
    fail "exit status $got, not $want: $*"
  }
}
# one_line WORD: standard error is one line (and perhaps its hint), which says WORD; standard output is empty.
one_line() {
  told_in_one_line "$1"
  [ ! -s "$t/out" ] || fail "something is on standard output"
}
# told_in_one_line WORD: the same, with a report on standard output or without.
told_in_one_line() {
  [ "$(grep -c '' "$t/err")" -le 2 ] && [ "$(grep -vc '^imgbuild: hint: ' "$t/err")" = 1 ] &&
    [ "$(grep -vc '^imgbuild: ' "$t/err")" = 0 ] || { cat "$t/err" >&2; fail "not one line and a hint"; }
  has "$t/err" "$1"
}
has() { grep -qF -- "$2" "$1" || { sed 's/^/  /' "$1" >&2; fail "not in $1: $2"; }; }
hasnt() { ! grep -qF -- "$2" "$1" || { sed 's/^/  /' "$1" >&2; fail "in $1, though it must not be: $2"; }; }
not() { ! "$@"; }
# is WHAT WANT GOT
is() { [ "$2" = "$3" ] || fail "$1: wanted $2, got $3"; }

# A private key and a token that are made for this test.
make_key() { ssh-keygen -q -t ed25519 -N '' -C '' -f "$1"; }
make_token() { # npm_ and 36 characters, the last six of which are the CRC32 of the rest in base 62
  python3 - <<'PYTHON'
import random, string, zlib
digits = string.digits + string.ascii_uppercase + string.ascii_lowercase
body = "".join(random.SystemRandom().choice(digits) for _ in range(30))
n, tail = zlib.crc32(body.encode()), ""
while n:
    n, d = divmod(n, 62)
    tail = digits[d] + tail
print("npm" + "_" + body + tail.rjust(6, "0"))
PYTHON
}
repository() { # a git repository with what is in the folder
  git -C "$1" init -q -b main
  git -C "$1" add -A
  git -C "$1" -c user.name=dev -c user.email=dev@example.org commit -q -m start
}

# archive FILE LAYER.tar...: a docker-archive of the layers, oldest first, as `docker save` writes it. CONFIG may hold
# the JSON of the config's "config".
archive() {
  local file=$1 settings=${CONFIG:-} dir diffs='[]' names='[]' history='[]' digest config layer n=0
  shift
  [ -n "$settings" ] || settings='{}'
  dir=$(mktemp -d "$t/archive.XXXXXX")
  for layer in "$@"; do
    digest=$(sha256sum <"$layer" | cut -d' ' -f1)
    mkdir -p "$dir/$n"
    cp "$layer" "$dir/$n/layer.tar"
    diffs=$(jq -c --arg d "sha256:$digest" '. + [$d]' <<<"$diffs")
    names=$(jq -c --arg n "$n/layer.tar" '. + [$n]' <<<"$names")
    history=$(jq -c --arg n "RUN step $n" '. + [{created: "2024-01-01T00:00:00Z", created_by: $n}]' <<<"$history")
    n=$((n + 1))
  done
  jq -nc --argjson diffs "$diffs" --argjson history "$history" --argjson config "$settings" \
    '{architecture: "amd64", os: "linux", config: $config, history: $history, rootfs: {type: "layers", diff_ids: $diffs}}' |
    tr -d '\n' >"$dir/config"
  config=$(sha256sum <"$dir/config" | cut -d' ' -f1).json
  mv "$dir/config" "$dir/$config"
  jq -nc --arg config "$config" --argjson names "$names" '[{Config: $config, RepoTags: ["app:1"], Layers: $names}]' >"$dir/manifest.json"
  tar -C "$dir" -cf "$file" $(ls "$dir")
  rm -rf "$dir"
}
# layer FILE DIR: a layer's tar of what is in the folder.
layer() { tar -C "$2" --owner=0 --group=0 -cf "$1" .; }
agent_answers() { # it has no keys: 1; nobody listens: 2
  local got=0
  ssh-add -l >/dev/null 2>&1 || got=$?
  [ $got != 2 ]
}
# agent [KEY...]: an ssh-agent of its own.
agent() {
  local key
  export SSH_AUTH_SOCK=$t/agent.sock
  ssh-agent -D -a "$SSH_AUTH_SOCK" </dev/null >/dev/null 2>&1 &
  started $! agent_answers || fail 'ssh-agent does not answer'
  for key in "$@"; do ssh-add -q "$key" 2>/dev/null; done
}
