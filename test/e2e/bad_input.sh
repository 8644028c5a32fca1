# Bad input: one line that says what and what to do, the right exit code, and nothing left behind.
. "$(dirname "$0")/_common.sh"
mkdir "$t/app"
printf 'true\n' >"$t/script.sh"
build=("$IMGBUILD" build "$t/app" --run "$t/script.sh" -t "e2e/$name:1")
# told STATUS WORD COMMAND...: exit status, WORD in the message, and no more than a message and a hint.
told() {
  local want=$1 word=$2
  shift 2
  ran "$want" "$@"
  has "$t/err" "$word"
  [ "$(grep -vc '^imgbuild: ' "$t/err")" = 0 ] || { cat "$t/err"; fail "a line without the prefix"; }
  [ "$(grep -vcE 'hint: ' "$t/err")" -le "${LINES_MOST:-1}" ] || { cat "$t/err"; fail "more than one line"; }
  no_image "e2e/$name:1"
  nothing_left
}
LINES_MOST=3 told 3 no-such-image "${build[@]}" --from no-such-image:1
told 2 missing.sh "$IMGBUILD" build "$t/app" --from imgbuild-test/busybox:1 --run "$t/missing.sh" -t "e2e/$name:1"
mkdir "$t/odd"
printf 'from = "x\n' >"$t/odd/imgbuild.toml"
told 2 imgbuild.toml:1 "$IMGBUILD" build "$t/odd" --from imgbuild-test/busybox:1 --run "$t/script.sh" -t "e2e/$name:1"
LINES_MOST=2 told 3 nowhere.sock "${build[@]}" --from imgbuild-test/busybox:1 --engine "unix://$t/nowhere.sock"
: >"$t/empty.tar"
told 3 empty "$IMGBUILD" audit "archive:$t/empty.tar"
told 3 directory "$IMGBUILD" audit "archive:$t/app"

# The engine is gone half-way.
printf 'echo started\nsleep 60\n' >"$t/script.sh"
engine_hidden_up
"${build[@]}" --from imgbuild-test/busybox:1 --engine "$HIDDEN_ENGINE" >"$t/out" 2>"$t/err" &
pid=$!
until_said started
engine_hidden_kill
got=0
wait $pid || got=$?
[ $got = 3 ] || { cat "$t/err"; fail "the engine is gone: exit status $got, not 3"; }
has "$t/err" engine

# The disk is full: for the context that is being staged.
printf 'true\n' >"$t/script.sh"
if [ "$(id -u)" = 0 ]; then
  mkdir "$t/small"
  mount -t tmpfs -o size=64k tmpfs "$t/small"
  head -c 400000 /dev/urandom >"$t/app/data"
  got=0
  TMPDIR=$t/small "${build[@]}" --from imgbuild-test/busybox:1 >"$t/out" 2>"$t/err" || got=$?
  left=$(ls -A "$t/small")
  umount "$t/small"
  [ $got = 3 ] || { cat "$t/err"; fail "disk full: exit status $got, not 3"; }
  grep -qi 'no space' "$t/err" || { cat "$t/err"; fail "disk full is not told"; }
  [ -z "$left" ] || fail "left behind: $left"
  nothing_left
fi
