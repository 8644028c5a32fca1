# What a Dockerfile gets to see is what `docker build` would send, whatever git says of it; its own .dockerignore counts;
# it may lie elsewhere, or come over standard input. A RUN that fails, and an interrupt, leave nothing behind.
. "$(dirname "$0")/_common.sh"
mkdir -p "$t/app/src" "$t/app/docker" "$t/app/empty"
git init -q "$t/app"
echo built >"$t/app/src/ignored-by-git"
echo no >"$t/app/src/left-out"
echo src/ignored-by-git >"$t/app/.gitignore"
printf 'src/left-out\n' >"$t/app/.dockerignore"
# Without the image before it, which would stay without a name.
builds() {
  docker rmi -f "e2e/$name:1" >/dev/null 2>&1 || true
  ran "$1" "$IMGBUILD" build "$t/app" -t "e2e/$name:1" --network host "${@:2}"
}
runs() { docker run --rm --network none "e2e/$name:1" sh -c "$1"; }

printf 'FROM imgbuild-test/busybox:1\nCOPY . /srv/\nCMD ["true"]\n' >"$t/app/Dockerfile"
builds 0
runs 'test -s /srv/src/ignored-by-git && ! test -e /srv/src/left-out && test -s /srv/Dockerfile && test -d /srv/empty && ! test -e /srv/.git'
first=$(cat "$t/out")
builds 0
[ "$(cat "$t/out")" = "$first" ] || fail "the same twice is not the same image"

# By -f, with a .dockerignore of its own, in which it stands itself.
printf 'FROM imgbuild-test/busybox:1\nCOPY src /srv/src\n' >"$t/app/docker/Dockerfile.dev"
printf 'docker\nsrc/ignored-by-git\n' >"$t/app/docker/Dockerfile.dev.dockerignore"
builds 0 -f "$t/app/docker/Dockerfile.dev"
runs 'test -s /srv/src/left-out && ! test -e /srv/src/ignored-by-git'
# From elsewhere, and from standard input.
printf 'FROM imgbuild-test/busybox:1\nCOPY src/ignored-by-git /x\n' >"$t/Elsewhere"
builds 0 -f "$t/Elsewhere"
runs 'test -s /x'
printf 'FROM imgbuild-test/busybox:1\nRUN echo in >/y\n' | builds 0 -f -
runs 'test -s /y'

# Flags that are meant for the other kind of build are refused; so is a stage that is not there.
builds 2 -f "$t/Elsewhere" --run x.sh
builds 2 -f "$t/Elsewhere" --env A=b
builds 2 --target nowhere
has "$t/err" "has no stage nowhere"
builds 2 --from imgbuild-test/busybox:1 --run "$t/Elsewhere" --build-arg A=b

# A RUN that fails is the Dockerfile's failure, with what it printed; one that no builder understands is not.
printf 'FROM imgbuild-test/busybox:1\nRUN echo said-%s; exit 7\n' "$RANDOM" >"$t/app/Dockerfile"
builds 4
has "$t/err" "said-"
has "$t/err" "RUN failed: exit status 7"
printf 'FROM imgbuild-test/busybox:1\nMAKE x\n' >"$t/app/Dockerfile"
builds 3
has "$t/err" "engine: build: "
builds 3 --progress quiet
hasnt "$t/err" "#1 "
nothing_left

# An interrupt ends the build at once: nothing runs, nothing is left.
mark=sleeps-$RANDOM$RANDOM
seconds=$((10000 + $$)) # unlike anybody else's
no_sleep() { ! pgrep -f "sleep $seconds" >/dev/null; }
printf 'FROM imgbuild-test/busybox:1\nRUN echo %s && sleep %s\n' "$mark" "$seconds" >"$t/app/Dockerfile"
for signal in INT TERM; do
  # What a script starts in the background does not hear SIGINT otherwise.
  env --default-signal=INT "$IMGBUILD" build "$t/app" -t "e2e/$name:1" --network host >"$t/out" 2>"$t/err" &
  pid=$!
  eventually grep -qs "[0-9] $mark" "$t/err" || fail "the RUN did not begin"
  kill -$signal $pid
  status=0
  wait $pid || status=$?
  [ $status = $([ $signal = INT ] && echo 130 || echo 143) ] || fail "exit status $status after SIG$signal"
  eventually no_sleep || fail "the RUN goes on"
  no_image "e2e/$name:1"
  nothing_left
done
