# Staged again, a tree's files are known by device, inode, size and times: the same tar, and what has changed is looked at.
. "$(dirname "$0")/_common.sh"
mkdir "$t/tree"
for i in 1 2 3; do echo "text $i" >"$t/tree/$i"; done
head -c 5000000 /dev/zero | tr '\0' x >"$t/tree/large"
sleep 2.2 # what was written just now has no lasting state yet
stages() { # stages STATUS SEEN [FLAGS...]
  local want=$1 seen=$2
  shift 2
  expect "$want" "$IMGBUILD" stage "$t/tree" --format json -o "$t/context.tar" "$@"
  [ "$(jq -r '.seen_before // 0' "$t/out")" = "$seen" ] || fail "seen before: $(jq -c .seen_before "$t/out"), not $seen"
}
stages 0 0
digest=$(jq -r .digest "$t/out")
stages 0 4
[ "$(jq -r .digest "$t/out")" = "$digest" ] || fail "another tar"
stages 0 0 --no-cache

# Where no tar is wanted it is known without being made; what it is given as a time counts.
expect 0 "$IMGBUILD" stage "$t/tree" --format json
expect 0 "$IMGBUILD" stage "$t/tree" --format json
[ "$(jq -r '[.digest, .seen_before, .files] | join(" ")' "$t/out")" = "$digest 4 4" ] || fail "another context: $(cat "$t/out")"
expect 0 env SOURCE_DATE_EPOCH=1700000000 "$IMGBUILD" stage "$t/tree" --format json
[ "$(jq -r .digest "$t/out")" != "$digest" ] || fail "the time does not count"
# The file is the tar of that digest afterwards, whatever lay there.
expect 0 "$IMGBUILD" stage "$t/tree"
for before in same altered shorter none link; do
  case $before in
  altered) printf 'x' | dd of="$t/context.tar" bs=1 seek=3000 conv=notrunc status=none ;;
  shorter) truncate -s 3000 "$t/context.tar" ;;
  none) rm "$t/context.tar" ;;
  link) mv "$t/context.tar" "$t/aside" && ln -s aside "$t/context.tar" ;;
  esac
  [ $before = none ] || touch -h -d '2020-01-01' "$t/context.tar"
  stages 0 4
  [ "sha256:$(sha256sum <"$t/context.tar" | cut -d' ' -f1)" = "$digest" ] || fail "$before: the tar is another"
  [ ! -L "$t/context.tar" ] && [ "$t/context.tar" -nt "$t/tree" ] || fail "$before: it does not count as written now"
done

# The same size and time, other content: only ctime tells.
touch -r "$t/tree/2" "$t/then"
printf '//registry.npmjs.org/:_authToken=%s%s\n' npm_ "$(head -c 200 /dev/urandom | base64 -w0 | tr -dc A-Za-z0-9 | head -c 36)" >"$t/leak"
stages 0 4
truncate -s "$(stat -c %s "$t/leak")" "$t/tree/2"
touch -r "$t/then" "$t/tree/2"
sleep 2.2
stages 0 3
cat "$t/leak" >"$t/tree/2"
touch -r "$t/then" "$t/tree/2"
stages 1 3
# What was found is found again, however often it is staged.
sleep 2.2
stages 1 3
stages 1 3

# A record that somebody altered is as good as none.
echo fine >"$t/tree/2"
sleep 2.2
stages 0 3
stages 0 4
for record in "${XDG_CACHE_HOME:-$HOME/.cache}"/imgbuild/layers/*; do
  printf 'x' | dd of="$record" bs=1 conv=notrunc status=none
done
stages 0 0
