# A credential within source code is refused: exit 1, no tar, the entry that would let it through; with it, it is staged.
. "$(dirname "$0")/_common.sh"
mkdir app
make_key key
{ printf 'package x\n\nconst key = `\n'; cat key; printf '`\n'; } >app/x_test.go
repository app
expect 1 "$IMGBUILD" stage app -o context.tar
[ ! -e context.tar ] && [ ! -e context.tar.part ] || fail "there is a tar"
has "$t/out" x_test.go
has "$t/out" '[[allow]]'
hasnt "$t/out" "$(sed -n 2p key)"
expect 1 "$IMGBUILD" stage app --format json -o context.tar
is digest null "$(jq -r .digest "$t/out")"
is action refuse "$(jq -r '.withheld[0].action' "$t/out")"
jq -r '.withheld[0].allow' "$t/out" | sed 's/reason = "..."/reason = "a key for tests"/' >app/imgbuild.toml
expect 0 "$IMGBUILD" stage app -o context.tar
has "$t/out" 'a key for tests'
tar -tf context.tar | grep -q x_test.go || fail "the allowed file is not staged"
rm context.tar
expect 1 "$IMGBUILD" stage app -o context.tar --no-repo-allow
[ ! -e context.tar ] || fail "there is a tar"
# As pasted, without a reason, it is no entry.
sed -i 's/reason = .*/reason = "..."/' app/imgbuild.toml
expect 2 "$IMGBUILD" stage app
one_line 'without a reason'
