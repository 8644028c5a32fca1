# What an image weighs, what is hidden in it and what it shares with its base are told; --max-size refuses.
. "$(dirname "$0")/_common.sh"
mkdir "$t/app"
cat >"$t/app/Dockerfile" <<'DOCKERFILE'
FROM imgbuild-test/busybox:1
RUN mkdir /big && dd if=/dev/zero of=/big/file bs=1M count=8 && dd if=/dev/zero of=/small bs=1k count=100
RUN rm -r /big && echo over >/small
DOCKERFILE
base=$(docker image inspect -f '{{len .RootFS.Layers}}' imgbuild-test/busybox:1)
ran 0 "$IMGBUILD" build "$t/app" --network host -t "e2e/$name:1" --report "$t/report.json"
has "$t/err" "are shared with imgbuild-test/busybox:1, 8.5 MB hidden by later layers"
jq -e --argjson base "$base" '.images[0] | .weight.hidden == 8*1048576 + 102400 and .weight.base.layers == $base
  and .weight.bytes == ([.layers[].bytes] | add) and (.layers[$base].largest[0] == {"path": "big/file", "bytes": 8388608})
  and .layers[$base].hidden == .weight.hidden and .layers[-1].hidden == 0' "$t/report.json" >/dev/null || { jq '.images[0].weight, .images[0].layers' "$t/report.json"; fail "the weight in JSON"; }
ran 0 "$IMGBUILD" audit "docker:e2e/$name:1" --base imgbuild-test/busybox:1
has "$t/out" "8.5 MB hidden by later layers"
has "$t/out" "shared with imgbuild-test/busybox:1"
grep -qE 'layer 1 .*8\.5 MB .*RUN .*\(8\.5 MB hidden\)' "$t/out" || { cat "$t/out"; fail "no line per layer"; }
ran 0 "$IMGBUILD" audit "docker:e2e/$name:1" --max-size 1GB
ran 1 "$IMGBUILD" audit "docker:e2e/$name:1" --max-size 5MB
has "$t/err" "too large: it weighs"
has "$t/err" "layer 1: big/file (8.4 MB)"
# The gate prints no id.
ran 1 "$IMGBUILD" audit --quiet "docker:e2e/$name:1" --max-size 5MB
[ ! -s "$t/out" ] || fail "--quiet printed an id of an image that is too large"
docker rmi "e2e/$name:1" >/dev/null

ran 1 "$IMGBUILD" build "$t/app" --network host -t "e2e/$name:1" --max-size 5MB --report "$t/report.json"
has "$t/err" "too large: it weighs"
has "$t/err" "nothing was named"
jq -e '.verdict == "clean" and (.too_large | length > 2)' "$t/report.json" >/dev/null || fail "JSON does not say that it is too large"
no_image "e2e/$name:1"
nothing_left
ran 1 "$IMGBUILD" build "$t/app" --from imgbuild-test/busybox:1 --network host -t "e2e/$name:1" --max-size 3MB -- dd if=/dev/zero of=/srv.bin bs=1M count=4
has "$t/err" "srv.bin (4.2 MB)"
no_image "e2e/$name:1"
ran 0 "$IMGBUILD" build "$t/app" --from imgbuild-test/busybox:1 --network host -t "e2e/$name:1" --max-size 10MiB -- dd if=/dev/zero of=/srv.bin bs=1M count=4
ran 2 "$IMGBUILD" build "$t/app" --from imgbuild-test/busybox:1 -t "e2e/$name:1" --max-size lots -- true
nothing_left
