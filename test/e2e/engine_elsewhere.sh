# The same build through an engine that does not share our file system: nothing depends on a path of the host.
. "$(dirname "$0")/_common.sh"
[ "$(id -u)" = 0 ] || { say "needs root: hides our folders from a mount namespace"; exit 77; }
engine_hidden_up
mkdir "$t/app"
printf 'from far away\n' >"$t/app/hello.txt"
secret="f$(head -c 15 /dev/urandom | od -An -tx1 | tr -d ' \n')H"
printf '%s' "$secret" >"$t/secret"
ssh_up "$t/ssh"
printf 'test -s "$BUILD_SECRETS/s"; test -S "$SSH_AUTH_SOCK"; mkdir /srv/; cp hello.txt /srv/\n' >"$t/script.sh"
ran 0 "$IMGBUILD" build "$t/app" --engine "$HIDDEN_ENGINE" --from imgbuild-test/busybox:1 --network host --run "$t/script.sh" -t "e2e/$name:1" \
  --secret "id=s,src=$t/secret" --ssh "$SSH_USER@127.0.0.1:$SSH_PORT" --known-host "[127.0.0.1]:$SSH_PORT $HOST_FINGERPRINT"
DOCKER_HOST=$HIDDEN_ENGINE docker image inspect "e2e/$name:1" >/dev/null || fail "the image is not there"
DOCKER_HOST=$HIDDEN_ENGINE layer_paths "e2e/$name:1" >"$t/paths"
has "$t/paths" srv/hello.txt
DOCKER_HOST=$HIDDEN_ENGINE docker rmi "e2e/$name:1" >/dev/null
