# A build of which nothing changed gives the image that was cleared then, and runs nothing; whatever shapes the image,
# a secret's value too, makes another build of it.
. "$(dirname "$0")/_common.sh"
mkdir "$t/app"
echo one >"$t/app/file"
printf '%s' "$(head -c 18 /dev/urandom | od -An -tx1)" >"$t/token"
printf 'mkdir /srv; cp file /srv/file; date >/srv/date; echo script ran\n' >"$t/script.sh"
# Images that lost their name to a newer one stay: they are the user's.
engine_rest() { docker ps -aq --no-trunc --filter label=imgbuild.build; docker volume ls -q; docker images -q --no-trunc --filter label=imgbuild.build; }
engine_rest >"$t/rest"
build() {
  local want=$1
  shift
  ran 0 "$IMGBUILD" build "$t/app" --from imgbuild-test/busybox:1 --network none --run "$t/script.sh" -t "e2e/$name:1" \
    --secret "id=tok,src=$t/token" --report "$t/report.json" "$@"
  case $want in
    anew) has "$t/err" 'script ran'; hasnt "$t/err" 'unchanged since'; hasnt "$t/report.json" unchanged_since ;;
    same) has "$t/err" 'unchanged since'; has "$t/report.json" unchanged_since; hasnt "$t/err" 'script ran'; [ "$(cat "$t/out")" = "$id" ] || { cat "$t/err" >&2; fail "another image: $(cat "$t/out") $id"; } ;;
  esac
  nothing_left
}
build anew
id=$(cat "$t/out")
build same
has "$t/err" 'audit: clean'
build same -t "e2e/$name:2"
[ "$(docker image inspect -f '{{.Id}}' "e2e/$name:2")" = "$id" ] || fail "the second name is another image's"
build anew --no-cache
id=$(cat "$t/out")
build same
# Each of these is another build.
build anew --env A=b
build anew --label a=b
build anew --secret "id=other,src=$t/token"
build anew --fail-on high
build anew --expose 80
echo two >"$t/app/file"
build anew
printf '%s' "$(head -c 18 /dev/urandom | od -An -tx1)" >"$t/token"
build anew
id=$(cat "$t/out")
build same
# The image went, or the record is not ours: it is built.
docker rmi -f "$id" >/dev/null
build anew
id=$(cat "$t/out")
for record in "$XDG_CACHE_HOME"/imgbuild/layers/*; do printf x >>"$record"; done
build anew
id=$(cat "$t/out")
build same
# A refused build is not remembered.
printf 'cat $BUILD_SECRETS/tok >/tok; echo script ran\n' >"$t/script.sh"
for _ in 1 2; do
  ran 1 "$IMGBUILD" build "$t/app" --from imgbuild-test/busybox:1 --network none --run "$t/script.sh" -t "e2e/$name:3" --secret "id=tok,src=$t/token"
  has "$t/err" 'script ran'
done
nothing_left
