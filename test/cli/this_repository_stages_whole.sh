# imgbuild stage on this repository withholds nothing: its examples of credentials are none.
. "$(dirname "$0")/_common.sh"
git -C "$SOURCE" rev-parse --git-dir >/dev/null 2>&1 || { echo "not a git checkout"; exit 77; }
mkdir whole
git -C "$SOURCE" ls-files -z -co --exclude-standard | (cd "$SOURCE" && xargs -0 sh -c 'for f; do [ ! -e "$f" ] || printf "%s\0" "$f"; done' -) |
  tar -C "$SOURCE" --null -T - -cf - | tar -C whole -xf -
git -C whole init -q -b main
expect 0 "$IMGBUILD" stage whole -o context.tar --format json
is withheld 0 "$(jq '.withheld | length' "$t/out")"
is allowed null "$(jq .allowed "$t/out")"
count=$(find whole -path whole/.git -prune -o -type f -print | wc -l)
[ "$count" -ge 200 ] || fail "only $count files were copied"
is files "$count" "$(jq .files "$t/out")"
