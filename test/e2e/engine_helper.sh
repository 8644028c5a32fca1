# A user who may talk to the engine but not read its files (the docker group, a CI job, a remote engine): with
# --engine-helper only what is new of an image is read, from the engine's own folders, by a container that goes again.
. "$(dirname "$0")/_common.sh"
[ "$(stat -c %u "$ENGINE_DIR")" = 0 ] || fail "the engine's folder is not root's"
data=$(docker info -f '{{.DockerRootDir}}')
chmod 0755 "$t" && cp "$IMGBUILD" "$t/imgbuild" && chmod 0755 "$t/imgbuild"
mkdir -p "$t/user" && chown -R 12345 "$t/user"
# as_user COMMAND...: one who is let in by the socket's group alone.
group=$(stat -c %g "$ENGINE_SOCKET")
[ "$group" != 0 ] && gid=$group || { gid=12399 && chgrp $gid "$ENGINE_SOCKET" && chmod 0660 "$ENGINE_SOCKET"; }
as_user() {
  env HOME="$t/user" XDG_STATE_HOME="$t/user/state" XDG_CONFIG_HOME="$t/user/config" XDG_CACHE_HOME="$t/user/cache" TMPDIR=/tmp \
    setpriv --reuid 12345 --regid $gid --clear-groups "$@"
}
as_user test -r "$data" && fail "the user can read $data"

# Members in no order that an engine would walk them in, a link that is followed, a file of another's alone, large ones.
mkdir -p "$t/tree/z/deep" "$t/tree/a"
for i in $(seq 1 400); do echo "file $i" >"$t/tree/z/f$i"; done
head -c 3000000 /dev/urandom >"$t/tree/a/large"
openssl genpkey -algorithm ed25519 -out "$t/tree/z/deep/key.pem" 2>/dev/null
chmod 0400 "$t/tree/z/deep/key.pem" && chown 4321 "$t/tree/z/deep/key.pem"
tar -C "$t/tree" -cf "$t/tree.tar" z/deep/key.pem a/large $(cd "$t/tree" && ls -d z/f* | shuf)
docker import "$t/tree.tar" "e2e/$name:leak" >/dev/null

audit() { as_user "$t/imgbuild" audit --format json "$@"; }
# What is said of it: the image, what was looked at, what leaked and where.
same() { jq -S '[.images[] | .id, .verdict, .coverage.entries, .coverage.bytes, (.leaks[] | .key.fingerprint, .locations[].path)]' "$1"; }
# The containers of ours that were started since this moment, from the engine's own memory of it: nothing to be early for.
since=$(date +%s.%N)
helpers_started() { docker events --since "$since" --until "$(date +%s.%N)" --filter type=container --filter event=start --format '{{json .Actor.Attributes}}' | grep -F '"imgbuild.build"'; }
ran 1 audit "docker:e2e/$name:leak"
same "$t/out" >"$t/saved.json"
! helpers_started || fail "a helper was started that nobody asked for"
ran 1 audit --no-cache --engine-helper "docker:e2e/$name:leak"
hasnt "$t/err" "warning"
[ "$(same "$t/out")" = "$(cat "$t/saved.json")" ] || { same "$t/out" | diff "$t/saved.json" -; fail "the helper shows another image"; }
helpers_started >"$t/started" || { docker events --since "$since" --until "$(date +%s.%N)"; fail "no helper was started"; } >&2
nothing_left

# A build by that user: the base is remembered, and what the script made is read through a helper.
printf 'head -c 100000 /dev/urandom >/srv-made\n' >"$t/user/script.sh"
mkdir -p "$t/user/app" && chown -R 12345 "$t/user"
ran 0 as_user "$t/imgbuild" build "$t/user/app" --from imgbuild-test/busybox:1 --run "$t/user/script.sh" -t "e2e/$name:1" --engine-helper
hasnt "$t/err" "warning"
nothing_left

# An engine elsewhere, whose files nobody here can read.
engine_hidden_up
elsewhere() { DOCKER_HOST=$HIDDEN_ENGINE "$@"; }
ran 0 elsewhere env IMGBUILD_ENGINE_HELPER=1 "$IMGBUILD" audit --format json --no-cache docker:imgbuild-test/busybox:1
hasnt "$t/err" "warning"
[ "$(jq .images[0].coverage.entries "$t/out")" -gt 100 ] || fail "nothing was read"
left=$(elsewhere docker ps -aq && elsewhere docker images -q --filter dangling=true)
[ -z "$left" ] || fail "the helper left something at the engine elsewhere: $left"
