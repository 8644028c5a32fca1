# The flags for the resulting config, --user, --workdir, --iidfile, several -t, -- COMMAND, --dry-run, --ignore-volume.
. "$(dirname "$0")/_common.sh"
mkdir "$t/app"
printf 'x\n' >"$t/app/x"
printf 'id -u >/tmp/uid\npwd >/tmp/pwd\n' >"$t/script.sh"
build=("$IMGBUILD" build "$t/app" --from imgbuild-test/busybox:1 -t "e2e/$name:1")
ran 0 "${build[@]}" --run "$t/script.sh" -t "e2e/$name:2" --user 1234 --workdir /tmp --iidfile "$t/iid" \
  --cmd '["run", "me"]' --entrypoint '["/bin/sh"]' --label a=b --expose 80/tcp --image-env MODE=prod --image-user 99 --image-workdir /srv
docker image inspect "e2e/$name:1" | jq '.[0].Config' >"$t/config"
[ "$(jq -c .Cmd "$t/config")" = '["run","me"]' ] || fail "Cmd"
[ "$(jq -c .Entrypoint "$t/config")" = '["/bin/sh"]' ] || fail "Entrypoint"
[ "$(jq -r .Labels.a "$t/config")" = b ] || fail "Labels"
[ "$(jq -c .ExposedPorts "$t/config")" = '{"80/tcp":{}}' ] || fail "ExposedPorts"
[ "$(jq -r .User "$t/config")" = 99 ] || fail "User"
[ "$(jq -r .WorkingDir "$t/config")" = /srv ] || fail "WorkingDir"
jq -e '.Env | index("MODE=prod")' "$t/config" >/dev/null || fail "Env"
[ "$(cat "$t/iid")" = "$(cat "$t/out")" ] || fail "--iidfile and stdout differ"
[ "$(docker image inspect -f '{{.Id}}' "e2e/$name:2")" = "$(cat "$t/iid")" ] || fail "the second name"
[ "$(docker run --rm --entrypoint cat "e2e/$name:1" /tmp/uid)" = 1234 ] || fail "--user"
[ "$(docker run --rm --entrypoint cat "e2e/$name:1" /tmp/pwd)" = /tmp ] || fail "--workdir"
docker rmi "e2e/$name:1" "e2e/$name:2" >/dev/null
ran 0 "${build[@]}" -- sh -c 'echo "$1" >/srv.txt' - 'a  b'
[ "$(docker run --rm --entrypoint cat "e2e/$name:1" /srv.txt)" = 'a  b' ] || fail "-- COMMAND is not run verbatim"
docker rmi "e2e/$name:1" >/dev/null
ran 0 "${build[@]}" --run "$t/script.sh" --dry-run
no_image "e2e/$name:1"
# A name is given only to what the audit let through: a script that changes nothing makes an image too.
ran 0 "${build[@]}" -- true
[ "$(docker image inspect -f '{{len .RootFS.Layers}}' "e2e/$name:1")" -ge 1 ] || fail "no layers"
docker rmi "e2e/$name:1" >/dev/null
# What a script writes under a VOLUME of the base does not ship: refused, or said to be meant.
mkdir "$t/base"
printf 'FROM imgbuild-test/busybox:1\nVOLUME /data\n' >"$t/base/Dockerfile"
DOCKER_BUILDKIT=0 docker build -q -t "e2e/$name:volume" "$t/base" >/dev/null
build=("$IMGBUILD" build "$t/app" --from "e2e/$name:volume" -t "e2e/$name:1")
ran 3 "${build[@]}" -- sh -c 'mkdir -p /data; echo lost >/data/file'
has "$t/err" /data
no_image "e2e/$name:1"
ran 0 "${build[@]}" --ignore-volume /data -- sh -c 'mkdir -p /data; echo lost >/data/file'
nothing_left
