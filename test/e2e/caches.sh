# What a script keeps under $BUILD_CACHE is there for the next build and ships in none; a secret of the build that got
# into it, in an archive too, makes it empty, and so does a build that was killed before it could be looked at.
. "$(dirname "$0")/_common.sh"
mkdir "$t/app"
cache=$name-$$
token=$(head -c 18 /dev/urandom | od -An -tx1 | tr -d ' \n')
printf '%s' "$token" >"$t/token"
ends() {
  local status=$?
  end_jobs # a build holds its volume
  docker volume rm -f "imgbuild-cache-$cache" "imgbuild-cache-$cache.2" >/dev/null 2>&1
  (exit $status)
  at_end
}
trap ends EXIT
engine_rest() { docker ps -aq --no-trunc --filter label=imgbuild.build; docker volume ls -q | grep -v "^imgbuild-cache-$cache" || true; }
engine_rest >"$t/rest"
builds() {
  local want=$1 script=$2
  shift 2
  printf '%s\n' "$script" >"$t/script.sh"
  docker rmi -f "e2e/$name:1" >/dev/null 2>&1 || true
  ran "$want" "$IMGBUILD" build "$t/app" --from imgbuild-test/busybox:1 --network none --run "$t/script.sh" -t "e2e/$name:1" \
    --cache "$cache" --cache "$cache.2" "$@"
  nothing_left
}
here="\$BUILD_CACHE/$cache"
builds 0 "mkdir $here/a && echo kept >$here/a/file && ln -s a/file $here/link && echo other >\$BUILD_CACHE/$cache.2/file; echo ships >/srv"
layer_paths "e2e/$name:1" >"$t/paths"
hasnt "$t/paths" cache
builds 0 "test \$(cat $here/link) = kept && touch $here/mine" --user dev # the folder is the script's user's
hasnt "$t/err" emptied

# A secret in one of them: that one is emptied, the other is not; also when the script fails.
secret=(--secret "id=tok,src=$t/token")
builds 0 "mkdir -p $here/deep && gzip <\$BUILD_SECRETS/tok >$here/deep/x.gz && echo >$here/clean" "${secret[@]}"
has "$t/err" "the cache $cache held a secret of this build (deep/x.gz), and was emptied"
hasnt "$t/err" "$token"
builds 0 "test -z \"\$(ls $here)\" && test -s \$BUILD_CACHE/$cache.2/file && echo kept >$here/file" "${secret[@]}"
builds 4 "cp \$BUILD_SECRETS/tok $here/tok; false" "${secret[@]}"
has "$t/err" 'was emptied'
builds 0 "test -z \"\$(ls $here)\" && echo kept >$here/file && : again" "${secret[@]}"
hasnt "$t/err" emptied
builds 0 "test -s $here/file && : what is older is not shown again" "${secret[@]}"

# Nobody looked: the next build finds it empty.
printf 'cp $BUILD_SECRETS/tok %s/tok; sleep 1000\n' "$here" >"$t/script.sh"
"$IMGBUILD" build "$t/app" --from imgbuild-test/busybox:1 --network none --run "$t/script.sh" -t "e2e/$name:1" --cache "$cache" \
  "${secret[@]}" >"$t/out" 2>"$t/err" &
driver=$!
# By what it prints: of a container that ends at once docker's client may get no status from podman.
copied() { [ "$(docker run --rm --network none -v "imgbuild-cache-$cache:/c:ro" imgbuild-test/busybox:1 cat /c/tok 2>/dev/null)" = "$token" ]; }
eventually copied || fail "the script did not come that far"
kill -9 $driver
wait $driver || true
no_builder() { [ -z "$(docker ps -aq --filter label=imgbuild.build)" ]; }
eventually no_builder || fail "the killed build's container still runs"
builds 0 "test -z \"\$(ls $here)\""

# Two builds at once take turns.
printf 'test ! -e %s/busy; touch %s/busy; sleep 2; rm %s/busy\n' "$here" "$here" "$here" >"$t/turn.sh"
for n in 1 2; do
  "$IMGBUILD" build "$t/app" --from imgbuild-test/busybox:1 --network none --run "$t/turn.sh" -t "e2e/$name:$n" --no-cache \
    --cache "$cache" >/dev/null 2>"$t/err$n" &
done
for _ in 1 2; do wait -n || { cat "$t"/err?; fail "two builds met in the cache"; }; done
nothing_left
