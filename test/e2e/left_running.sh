# What a script leaves running is ended before the commit and told; it cannot write into the image afterwards.
. "$(dirname "$0")/_common.sh"
mkdir "$t/app"
cat >"$t/script.sh" <<'SCRIPT'
(while :; do date +%s%N >>/late.txt; done) >/dev/null 2>&1 &
sleep 987 >/dev/null 2>&1 &
sleep 0.2
SCRIPT
ran 0 "$IMGBUILD" build "$t/app" --from imgbuild-test/busybox:1 --run "$t/script.sh" -t "e2e/$name:1" --report "$t/report.json"
[ "$(jq -r '.build.killed | length' "$t/report.json")" -ge 2 ] || { cat "$t/report.json"; fail "the processes are not told"; }
jq -r '.build.killed[]' "$t/report.json" | grep -q sleep || fail "not by name"
nothing_left

# An engine that died while it committed leaves the builder paused, and that cannot see that its driver is gone.
printf 'echo here; sleep 600\n' >"$t/script.sh"
"$IMGBUILD" build "$t/app" --from imgbuild-test/busybox:1 --run "$t/script.sh" -t "e2e/$name:2" >"$t/out" 2>"$t/err" &
driver=$!
eventually grep -qs here "$t/out" "$t/err" || fail "the script never began"
docker pause "$(docker ps -q --filter label=imgbuild.build)" >/dev/null
kill -9 $driver && wait $driver || true
ran 0 "$IMGBUILD" gc
nothing_left
