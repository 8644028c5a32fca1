# --timeout ends a script that takes too long: exit 3, nothing left.
. "$(dirname "$0")/_common.sh"
mkdir "$t/app"
ran 3 "$IMGBUILD" build "$t/app" --from imgbuild-test/busybox:1 -t "e2e/$name:1" --timeout 1s --report "$t/report.json" -- sleep 60
has "$t/err" timeout
[ "$(jq -r .verdict "$t/report.json")" = incomplete ] || fail "a build that came to no end has another verdict"
jq -r '.not_audited[]' "$t/report.json" >"$t/why"
has "$t/why" timeout
no_image "e2e/$name:1"
nothing_left
