# An ordinary user's podman, without a service: imgbuild starts one for the run, rootless, and builds, packs, audits and
# cleans up as it does elsewhere. What an image's owners are does not depend on whose namespace it was made in.
IMGBUILD_TEST_ENGINE=podman
. "$(dirname "$0")/_common.sh"
cannot() { echo "cannot be tested here: $*"; exit 77; }
command -v newuidmap >/dev/null || cannot 'no newuidmap (Debian: apt-get install uidmap)'
user=imgbuild$$
home=$t/user
rootless_end() {
  local status=$? pids
  set +e
  if id "$user" >/dev/null 2>&1; then
    as_user podman system reset -f >/dev/null 2>&1
    for _ in 1 2 3; do # podman leaves a process that holds its namespace
      pids=$(pgrep -u "$user")
      # shellcheck disable=SC2086 # words
      [ -z "$pids" ] || { kill -9 $pids && sleep 0.2; }
    done
    userdel "$user" >/dev/null 2>&1
  fi
  (exit $status)
  at_end
}
trap rootless_end EXIT
useradd -M -d "$home" -s /bin/sh "$user"
mkdir -p "$home/run" "$home/tmp" "$home/app" "$home/.config/containers"
cp "$IMGBUILD" "$home/imgbuild" # the checkout may lie where nobody else may go
engine_podman_conf >"$home/.config/containers/containers.conf"
as_user() {
  setpriv --reuid "$user" --regid "$user" --init-groups env -i -C "$home" "PATH=$PATH" "HOME=$home" "XDG_RUNTIME_DIR=$home/run" "TMPDIR=$home/tmp" \
    "ASAN_OPTIONS=$ASAN_OPTIONS" "$@"
}
engine_busybox_tree "$t/tree"
echo hello >"$home/app/hello"
secret="r$(head -c 15 /dev/urandom | od -An -tx1 | tr -d ' \n')L"
printf '%s' "$secret" >"$home/secret"
chown -R "$user:" "$home"
chmod 711 "$t"
as_user unshare -U true 2>/dev/null || cannot 'the kernel gives an ordinary user no namespace'
# podman by itself, with the quicker of the two stores that works.
for driver in overlay vfs; do
  printf '[storage]\ndriver = "%s"\n' $driver >"$home/.config/containers/storage.conf"
  tar -C "$t/tree" --numeric-owner -c . | as_user podman import --change 'ENV PATH=/bin' - busybox:1 >/dev/null 2>"$t/err" &&
    as_user podman run --rm --network none busybox:1 true >/dev/null 2>"$t/err" && break
  as_user podman system reset -f >/dev/null 2>&1 || true
  [ $driver = overlay ] || cannot "podman as an ordinary user: $(tail -n 1 "$t/err")"
done
echo "store: $driver"

engine=(--engine podman)
[ -e /var/run/docker.sock ] || engine=() # it is what is used where nobody listens at docker's socket
imgbuild() { as_user "$home/imgbuild" "$@"; }
script() { # script STATUS TEXT [FLAGS...]
  local want=$1
  printf '%s\n' "$2" >"$home/script.sh"
  shift 2
  ran "$want" imgbuild build "$home/app" "${engine[@]}" --from busybox:1 --network none --run "$home/script.sh" -t e2e/rootless:1 --report "$home/report.json" "$@"
}
no_service() { ! pgrep -u "$user" -f 'podman system service' >/dev/null; }
clean() { # nothing but what has a name
  no_service || fail "podman's service is left"
  [ -z "$(as_user podman ps -aq)" ] || fail 'a container is left'
  [ -z "$(as_user podman volume ls -q)" ] || fail 'a volume is left'
  [ -z "$(as_user podman images -q --filter dangling=true)" ] || fail 'an image without a name is left'
}
newest_layer() {
  as_user podman save "$1" >"$t/saved.tar"
  tar -xOf "$t/saved.tar" "$(tar -xOf "$t/saved.tar" manifest.json | jq -r '.[0].Layers[-1]')" | zcat -f | tar --numeric-owner -tvf -
}

ran 0 imgbuild audit --no-cache --format json "${engine[@]}" busybox:1
[ "$(jq -r '.images[0].verdict' "$t/out")" = clean ] || fail 'not clean'
ran 0 imgbuild audit --no-cache podman:busybox:1
clean

script 0 'test "$(id -u)" = 0; mkdir /opt; cp hello /opt/hello; chown 12:34 /opt/hello; wc -c <"$BUILD_SECRETS/s"; cat "$BUILD_SECRETS/s"' --secret "id=s,src=$home/secret"
has "$t/err" '[redacted: secret s]'
[ "$(as_user podman run --rm --network none e2e/rootless:1 stat -c '%u:%g' /opt/hello)" = 12:34 ] || fail 'another owner'
newest_layer e2e/rootless:1 >"$t/layer"
grep -q ' 12/34 .* opt/hello' "$t/layer" || fail "the layer holds the owners of the user's namespace: $(cat "$t/layer")"
as_user podman rmi e2e/rootless:1 >/dev/null
clean
script 0 'mkdir out; cp hello out; chown 12:34 out/hello; chmod 4711 out/hello' --user 0 --onto busybox:1 --artifact out/hello:/home/dev/hello
newest_layer e2e/rootless:1 >"$t/layer"
grep -q '^-rws--x--x 12/34 .* home/dev/hello' "$t/layer" || fail "the artefact has another owner or mode: $(cat "$t/layer")"
grep -q ' 1000/1000 .* home/dev/$' "$t/layer" || fail "the image's folder has another owner: $(cat "$t/layer")"
as_user podman rmi e2e/rootless:1 >/dev/null
clean
# A limit that nobody would keep is none.
if [ "$(stat -fc %T /sys/fs/cgroup)" != cgroup2fs ]; then
  script 3 true --memory 100m
  has "$t/err" 'it cannot limit memory or processors here'
  clean
fi
script 1 'base64 "$BUILD_SECRETS/s" >/copy' --secret "id=s,src=$home/secret"
has "$t/err" copy
hasnt "$t/err" "$secret"
! as_user podman image exists e2e/rootless:1 || fail 'the image has a name'
clean

# Interrupted and killed: the service ends with the run, and with it what ran.
for signal in INT KILL; do
  printf 'echo started\nsleep 600\n' >"$home/script.sh"
  as_user env --default-signal=INT "$home/imgbuild" build "$home/app" "${engine[@]}" --from busybox:1 --network none --run "$home/script.sh" -t e2e/rootless:1 >"$t/out" 2>"$t/err" &
  until_said started
  kill -$signal "$(pgrep -u "$user" -x imgbuild)"
  wait $! || true
  eventually no_service || fail "podman's service is left after SIG$signal"
  ran 0 imgbuild gc "${engine[@]}"
  clean
done
