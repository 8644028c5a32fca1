# --squash: what a Dockerfile added is one layer that holds what is left, over the base's own layers.
. "$(dirname "$0")/_common.sh"
mkdir "$t/app"
printf 'kept\n' >"$t/app/file"
cat >"$t/app/Dockerfile" <<'DOCKERFILE'
FROM imgbuild-test/busybox:1
COPY file /srv/file
RUN mkdir /big && dd if=/dev/zero of=/big/blob bs=1M count=8 && echo 1 >/srv/a && ln /srv/a /srv/b && ln -s a /srv/l && chmod 4711 /srv/a
RUN rm -r /big && rm /etc/group && echo over >/srv/file && chown 5:6 /srv/file
RUN rm -r /home && mkdir /home && echo new >/home/new
ENV A=b
CMD ["cat", "/srv/file"]
DOCKERFILE
build=("$IMGBUILD" build "$t/app" --network host)
ran 0 "${build[@]}" -t "e2e/$name:plain"
ran 0 "${build[@]}" --squash -t "e2e/$name:1" --report "$t/report.json"
has "$t/err" "squashing 4 layers"
base=$(docker image inspect -f '{{len .RootFS.Layers}}' imgbuild-test/busybox:1)
[ "$(docker image inspect -f '{{len .RootFS.Layers}}' "e2e/$name:1")" = $((base + 1)) ] || fail "not one layer"
[ "$(docker image inspect -f '{{index .RootFS.Layers 0}}' "e2e/$name:1")" = "$(docker image inspect -f '{{index .RootFS.Layers 0}}' imgbuild-test/busybox:1)" ] || fail "the base's layer is another one"
jq -e '.images[0].weight.hidden < 1000 and .images[0].weight.bytes < 8000000' "$t/report.json" >/dev/null || { jq '.images[0].weight' "$t/report.json"; fail "what was deleted is still there"; }
layer_paths "e2e/$name:1" >"$t/paths"
! grep -q "^big" "$t/paths" || fail "what a later line deleted is in the layer"
# The file systems are the same, entry by entry, and so are the configs.
tree() { docker create --name "lean-$$" "$1" >/dev/null; docker export "lean-$$" | tar --numeric-owner --full-time -tvf - | grep -v -e ' dev/' -e ' etc/$' -e ' etc/hosts' -e ' etc/hostname' -e ' etc/resolv.conf' -e ' etc/mtab' -e ' \.dockerenv' -e ' proc/' -e ' sys/' | sort -k6; docker rm "lean-$$" >/dev/null; }
tree "e2e/$name:plain" >"$t/want"
tree "e2e/$name:1" >"$t/got"
diff "$t/want" "$t/got" || fail "the file system is another one"
for image in plain 1; do docker image inspect "e2e/$name:$image" | jq -S '.[0].Config' >"$t/config.$image"; done
diff "$t/config.plain" "$t/config.1" || fail "the config is another one"
[ "$(docker run --rm "e2e/$name:1")" = over ] || fail "it does not run"
docker history --no-trunc "e2e/$name:1" >"$t/history"
has "$t/history" 'imgbuild build --squash'
has "$t/history" 'rm -r /big'
docker rmi "e2e/$name:1" "e2e/$name:plain" >/dev/null

# A key that a later line deletes is a leak without, and is not there with it; one that stays is a leak all the same.
openssl genpkey -algorithm ed25519 -out "$t/key" 2>/dev/null
printf 'FROM imgbuild-test/busybox:1\nRUN --mount=type=secret,id=key cp /run/secrets/key /srv.key\nRUN rm /srv.key\n' >"$t/app/Dockerfile"
ran 1 "${build[@]}" --secret "id=key,src=$t/key" -t "e2e/$name:1"
no_image "e2e/$name:1"
ran 0 "${build[@]}" --squash --secret "id=key,src=$t/key" -t "e2e/$name:1"
docker save "e2e/$name:1" >"$t/saved"
! grep -qF "$(sed -n 2p "$t/key")" "$t/saved" || fail "the key is in the image"
docker rmi "e2e/$name:1" >/dev/null
sed -i '$d' "$t/app/Dockerfile"
printf 'RUN true\n' >>"$t/app/Dockerfile"
ran 1 "${build[@]}" --squash --secret "id=key,src=$t/key" -t "e2e/$name:1"
has "$t/err" srv.key
no_image "e2e/$name:1"
nothing_left
