# SIGINT and SIGTERM at any step: 130 or 143, and no container, name, volume or secret is left. After SIGKILL the
# container ends by itself, and gc finds and removes the rest; a live build of somebody else's is left alone.
. "$(dirname "$0")/_common.sh"
mkdir "$t/app"
head -c 3000000 /dev/urandom >"$t/app/data"
secret="v$(head -c 15 /dev/urandom | od -An -tx1 | tr -d ' \n')W"
printf '%s\n' "$secret" >"$t/secret"
printf 'echo started\ncp data /srv-data\nsleep %s\necho ended\n' '${SLEEP:-0}' >"$t/script.sh"
start() { # in the background, its pid in $pid; a shell's background jobs are made to ignore SIGINT
  env --default-signal=INT "$IMGBUILD" build "$t/app" --from imgbuild-test/busybox:1 --run "$t/script.sh" -t "e2e/$name:1" \
    --secret "id=s,src=$t/secret" "$@" >"$t/out" 2>"$t/err" &
  pid=$!
}
no_secret_on_disk() {
  ! grep -rlF -- "$secret" "$TMPDIR" "$XDG_STATE_HOME" "$XDG_CONFIG_HOME" "$HOME" 2>/dev/null || fail "the secret is on disk"
}
# Signals at a spread of moments: from before the engine is asked until after the script.
for signal in INT TERM; do
  [ $signal = INT ] && want=130 || want=143
  for delay in 0.02 0.1 0.25 0.4 0.6 0.9 1.3 1.8; do
    start --env SLEEP=1
    sleep $delay
    kill -$signal "$pid" 2>/dev/null || true
    got=0
    wait "$pid" || got=$?
    if [ $got = 0 ]; then docker rmi -f "e2e/$name:1" >/dev/null; else
      [ $got = $want ] || { cat "$t/err"; fail "SIG$signal after $delay s: exit status $got, not $want"; }
      no_image "e2e/$name:1"
    fi
    nothing_left
    no_secret_on_disk
  done
done
# While the script runs, its own container too ends.
start --env SLEEP=600
until_said started
live=$pid
# A second build beside it is killed outright.
"$IMGBUILD" build "$t/app" --from imgbuild-test/busybox:1 --run "$t/script.sh" -t "e2e/$name:2" --env SLEEP=600 >"$t/out2" 2>"$t/err2" &
victim=$!
until_said started "$t/err2"
kill -KILL $victim
wait $victim || true
one_builder() { [ "$(docker ps -q --filter label=imgbuild.build | wc -l)" = 1 ]; }
eventually one_builder || { docker ps -a; fail "the killed build's container still runs"; }
ran 0 "$IMGBUILD" gc
one_builder || fail "gc touched a live build"
kill -0 $live || fail "the live build ended"
kill -TERM $live
got=0
wait $live || got=$?
[ $got = 143 ] || fail "SIGTERM in the script: exit status $got"
nothing_left
no_secret_on_disk
