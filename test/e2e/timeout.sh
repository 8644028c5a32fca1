# --timeout ends a script that takes too long: exit 3, nothing left.
. "$(dirname "$0")/_common.sh"
mkdir "$t/app"
ran 3 "$IMGBUILD" build "$t/app" --from imgbuild-test/busybox:1 -t "e2e/$name:1" --timeout 1s -- sleep 60
has "$t/err" timeout
no_image "e2e/$name:1"
nothing_left
