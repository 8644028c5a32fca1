# The image of a clean build keeps the base's config, has nothing of ours, and its new layer is what the script wrote,
# also with a base that has ENTRYPOINT, CMD, ENV, USER, WORKDIR, HEALTHCHECK and VOLUME.
. "$(dirname "$0")/_common.sh"
mkdir "$t/app"
printf 'hello\n' >"$t/app/hello.txt"
cat >"$t/script.sh" <<'SCRIPT'
#!/bin/sh -e
# distinctive-words-of-the-script
test "$PWD" = "$BUILD_CONTEXT"
mkdir -p /opt/app
cp hello.txt /opt/app/hello.txt
SCRIPT

docker image inspect imgbuild-test/busybox:1 >/dev/null
mkdir "$t/odd"
cat >"$t/odd/Dockerfile" <<'DOCKERFILE'
FROM imgbuild-test/busybox:1
ENV COLOUR=green
USER 1000:1000
WORKDIR /nowhere/yet
VOLUME /data
EXPOSE 8080
LABEL maintainer=somebody
HEALTHCHECK --interval=1s CMD touch /tmp/healthy
ENTRYPOINT ["/bin/sh", "-c"]
CMD ["echo started"]
STOPSIGNAL SIGQUIT
DOCKERFILE
DOCKER_BUILDKIT=0 docker build -q -t "e2e/$name:base" "$t/odd" >/dev/null

for base in imgbuild-test/busybox:1 "e2e/$name:base"; do
  ran 0 "$IMGBUILD" build "$t/app" --from "$base" --network host --user 0 --run "$t/script.sh" -t "e2e/$name:1" --report "$t/report.json"
  id=$(cat "$t/out")
  [ "$(docker image inspect -f '{{.Id}}' "e2e/$name:1")" = "$id" ] || fail "stdout is not the id of the image"
  docker image inspect "$base" | jq -S '.[0].Config | del(.Image, .Hostname)' >"$t/before.json"
  docker image inspect "e2e/$name:1" | jq -S '.[0].Config | del(.Image, .Hostname)' >"$t/after.json"
  cmp "$t/before.json" "$t/after.json" || { diff "$t/before.json" "$t/after.json"; fail "the config changed"; }
  docker image inspect "e2e/$name:1" >"$t/whole.json"
  docker history --no-trunc "e2e/$name:1" >>"$t/whole.json"
  for word in distinctive-words /dev/imgbuild SSH_AUTH_SOCK BUILD_SECRETS 'sh -c' relay; do
    [ "$word" = 'sh -c' ] || hasnt "$t/whole.json" "$word"
  done
  # A VOLUME whose folder the base lacks gets a stub from the engine, which is told.
  { jq -r '.build.stubs[] + "/"' "$t/report.json"; printf '%s\n' opt/ opt/app/ opt/app/hello.txt; } | sort >"$t/want"
  layer_paths "e2e/$name:1" >"$t/got"
  diff "$t/want" "$t/got" || fail "the new layer holds other paths than the script wrote"
  nothing_left
  docker rmi "e2e/$name:1" >/dev/null
done
