# Those cases of engines.sh that are builds by Dockerfile; read by _engine_cases.sh.
dockerfile() { # dockerfile STATUS TEXT [FLAGS...]: unlike any other build, so that no step is remembered
  local want=$1
  printf 'FROM %s\nENV MARK=%s\n%s\n' "${base:-$busybox}" "$RANDOM$RANDOM" "$2" >"$t/app/Dockerfile"
  shift 2
  ran "$want" "$IMGBUILD" build "$t/app" -f "$t/app/Dockerfile" --network host -t "$image" --report "$t/report.json" "$@"
}
dockerfile_clean() {
  dockerfile 0 'COPY hello /opt/hello
RUN echo made >/opt/made' --label kept=yes
  named cat /opt/made
  hasnt "$t/err" 'asked for the secret'
  [ "$(docker image inspect -f '{{json .Config.Labels}}' "$image" | jq -c 'del(.["io.buildah.version"])')" = '{"kept":"yes"}' ] || fail 'not the labels that were asked for'
}
dockerfile_leak() {
  dockerfile 1 "RUN $make_key" --purge
  refused
}
dockerfile_ssh() {
  local got=0 clone="RUN --mount=type=ssh --mount=type=secret,id=known_hosts GIT_SSH_COMMAND='ssh -o UserKnownHostsFile=/run/secrets/known_hosts' git clone -q $REPO_URL /srv/app"
  local lend=("${grant[@]}" --known-host "$(cat "$SSH_DIR/known_hosts")")
  # Podman's builder has the agent from a podman of the run's own, with the same store, and is told by an ARG where.
  [ "$ENGINE" != podman ] || export CONTAINERS_CONF=$ENGINE_DIR/containers.conf CONTAINERS_STORAGE_CONF=$ENGINE_DIR/storage.conf
  if [ "$ENGINE" = podman ]; then
    base=imgbuild-test/debian:1 dockerfile_try "$clone" "${lend[@]}" || got=$?
    [ $got = 3 ] || fail "exit status $got"
    has "$t/err" 'ARG SSH_AUTH_SOCK'
    (unset CONTAINERS_STORAGE_CONF && base=imgbuild-test/debian:1 dockerfile_try "ARG SSH_AUTH_SOCK
$clone" "${lend[@]}") || got=$?
    [ $got = 3 ] || fail "another store: exit status $got"
    has "$t/err" 'another store'
    no_image "$image"
  fi
  base=imgbuild-test/debian:1 dockerfile 0 "ARG SSH_AUTH_SOCK
$clone" "${lend[@]}"
  [ "$(jq -r '.build.ledger | map(select(.granted)) | length' "$t/report.json")" = 1 ] || fail 'not one signature in the ledger'
  named test -s /srv/app/main.c
  docker history --no-trunc --format '{{.CreatedBy}}' "$image" >"$t/history"
  docker inspect -f '{{json .Config}}' "$image" >>"$t/history"
  ! grep -F -e "$TMPDIR" -e .imgbuild "$t/history" || fail 'where the agent lies on this machine is in the image'
  layer_paths "$image" >"$t/paths"
  ! grep -E 'imgbuild|known_hosts' "$t/paths" || fail 'something of ours is in the layer'
  docker rmi -f "$image" >/dev/null
  # Another user, whom the server would let in with this key, and another host are refused in the same way.
  base=imgbuild-test/debian:1 dockerfile 4 "ARG SSH_AUTH_SOCK
RUN --mount=type=ssh ssh -o StrictHostKeyChecking=no -p $SSH_PORT nobody@127.0.0.1 true" "${lend[@]}"
  [ "$(jq -r '.build.ledger | map(select(.granted)) | length' "$t/report.json")" = 0 ] || fail 'a signature for another user'
  [ "$(jq -r '.build.ledger | map(select(.granted | not)) | length' "$t/report.json")" -ge 1 ] || fail 'the refusal is not in the ledger'
  nothing_left
}
dockerfile_try() { # as dockerfile, whatever comes of it
  printf 'FROM %s\nENV MARK=%s\n%s\n' "${base:-$busybox}" "$RANDOM$RANDOM" "$1" >"$t/app/Dockerfile"
  shift
  "$IMGBUILD" build "$t/app" -f "$t/app/Dockerfile" --network host -t "$image" --report "$t/report.json" "$@" >"$t/out" 2>"$t/err"
}
dockerfile_secret() {
  local got=0
  dockerfile_try 'RUN --mount=type=secret,id=s test -s /run/secrets/s && cat /run/secrets/s' --secret "id=s,src=$t/secret" || got=$?
  [ "$ENGINE" != podman ] || { [ $got = 3 ] || fail "exit status $got"; cannot "$(refusal)"; }
  [ $got = 0 ] || fail "exit status $got: $(cat "$t/err")"
  has "$t/err" '[redacted: secret s]'
  docker rmi -f "$image" >/dev/null
  dockerfile 1 'RUN --mount=type=secret,id=s cp /run/secrets/s /copy' --secret "id=s,src=$t/secret" --purge
  refused
}
# BuildKit's own git, which fetches what an ADD names, has the token of its host; a host that none is for gets none.
dockerfile_git() {
  local got=0
  printf '%s' "$GIT_TOKEN" >"$t/token"
  dockerfile_try "ADD http://$GIT_PLAIN/lib.git /srv/lib" --secret "id=forge,src=$t/token" --git-token "$GIT_PLAIN=deploy:forge" || got=$?
  [ "$ENGINE" != podman ] || { [ $got = 3 ] || fail "exit status $got"; cannot "$(refusal)"; }
  # Its Dockerfile front end, of 2020, takes the address for a file's.
  [ "$ENGINE" != docker ] || { [ $got != 0 ] || fail 'it was fetched'; cannot 'its builder knows no repository in ADD'; }
  [ $got = 0 ] || fail "exit status $got: $(cat "$t/err")"
  has "$GIT_LOG" 'http /lib.git/info/refs?service=git-upload-pack deploy'
  named test -s /srv/lib/main.c
  hasnt "$t/err" "$GIT_TOKEN"
  hasnt "$t/err" 'asked for the secret'
  docker rmi -f "$image" >/dev/null
  : >"$GIT_LOG"
  got=0
  dockerfile_try "ADD http://localhost:${GIT_PLAIN#*:}/lib.git /srv/lib" --secret "id=forge,src=$t/token" --git-token "$GIT_PLAIN=deploy:forge" || got=$?
  [ $got != 0 ] || fail 'another host was let in'
  hasnt "$GIT_LOG" deploy
  no_image "$image"
}
squashed() {
  dockerfile 0 'RUN echo one >/one && dd if=/dev/zero of=/big bs=1M count=3
RUN rm /big && echo two >/two && chown 5:6 /two' --squash
  named cat /one /two
  newest_layer "$image" >"$t/layer"
  has "$t/layer" '-rw-r--r-- 0/0 one'
  has "$t/layer" '-rw-r--r-- 5/6 two'
  ! grep -q ' big$' "$t/layer" || fail 'what a later line deletes is in the layer'
}
# What was cleared is written as files, as a tar and as archives, and no image stays; of a leak nothing is written.
dockerfile_outputs() {
  local build=("$IMGBUILD" build "$t/app" -f "$t/app/Dockerfile" --network host)
  printf 'FROM %s\nENV MARK=%s\nCOPY hello /opt/hello\nRUN echo made >/opt/made && echo gone >/opt/gone\nRUN rm /opt/gone && chown 5:6 /opt/made\n' $busybox "$RANDOM$RANDOM" >"$t/app/Dockerfile"
  ran 0 "${build[@]}" -o "$t/files.d" -o "type=oci,dest=$t/oci.tar" -o "type=docker,dest=$t/docker.tar,name=$image" -o - --report "$t/report.json"
  is_written "$t/out" opt/made 5/6
  [ "$(cat "$t/files.d/opt/made" "$t/files.d/opt/hello")" = 'made
hello' ] && [ ! -e "$t/files.d/opt/gone" ] || fail 'not the files of the image'
  no_image "$image"
  docker load -q -i "$t/docker.tar" >/dev/null
  docker run --rm --network none "$image" sh -c 'cat /opt/made >&2' 2>"$t/made"
  has "$t/made" made
  printf 'RUN %s\n' "$make_key" >>"$t/app/Dockerfile"
  docker rmi -f "$image" >/dev/null
  ran 1 "${build[@]}" --purge -o "$t/leak.d" -o "type=oci,dest=$t/leak.tar"
  [ ! -e "$t/leak.d" ] && [ ! -e "$t/leak.tar" ] || fail 'a leak was written'
  rm -r "$t/files.d"
  nothing_left
}
# Its steps go with the image that is pushed, and that image may be named for another build. (That an engine without any
# takes them would need one of its own: to prune that of all the tests leaves Docker 20.10 with steps it does not have.)
dockerfile_cache() {
  local name=$registry/e2e/cached:1
  [ "$ENGINE" != podman ] || cannot 'its builder keeps no cache of steps'
  printf 'FROM %s\nENV MARK=%s\nCOPY hello /opt/hello\nRUN date >/opt/made\n' $busybox "$RANDOM$RANDOM" >"$t/app/Dockerfile"
  local build=("$IMGBUILD" build "$t/app" -f "$t/app/Dockerfile" --network host)
  ran 0 "${build[@]}" -t "$name" --push
  skopeo inspect --config --raw --tls-verify=false "docker://$name" >"$t/config"
  hasnt "$t/config" moby.buildkit.cache
  docker rmi -f "$name" >/dev/null
  ran 0 "${build[@]}" -t "$name" --cache-to type=inline --push
  skopeo inspect --config --raw --tls-verify=false "docker://$name" >"$t/config"
  has "$t/config" moby.buildkit.cache
  docker run --rm --network none "$name" cat /opt/made >"$t/made"
  ran 0 "${build[@]}" -t "$image" --cache-from "$name"
  has "$t/err" CACHED
  docker run --rm --network none "$image" cat /opt/made | diff "$t/made" - || fail 'it was run again'
  docker rmi -f "$name" >/dev/null
  docker rmi -f "$image" >/dev/null
  nothing_left
}
