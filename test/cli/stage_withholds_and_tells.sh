# What git ignores stays out, a credential file is left out, a line of .npmrc is left out, and the report says so.
. "$(dirname "$0")/_common.sh"
mkdir -p app/src app/dist
printf 'int main() {}\n' >app/src/main.c
printf 'dist/\n' >app/.gitignore
printf 'old\n' >app/dist/old
make_key app/deploy_key
rm app/deploy_key.pub
token=$(make_token)
printf '//registry.npmjs.org/:_authToken=%s\nalways-auth=true\n' "$token" >app/.npmrc
repository app
expect 0 "$IMGBUILD" stage app -o context.tar
tar -tf context.tar | sort >names
has names src/main.c
has names .npmrc
hasnt names deploy_key
hasnt names old
hasnt names .git/
tar -xOf context.tar .npmrc >npmrc 2>/dev/null || tar -xOf context.tar ./.npmrc >npmrc
has npmrc always-auth=true
hasnt npmrc "$token"
has "$t/out" "withheld deploy_key: "
has "$t/out" .npmrc:1
hasnt "$t/out" "$token"
not grep -qaF "$token" context.tar || fail "the token is in the tar"

expect 0 "$IMGBUILD" stage app -o again.tar --format json
cmp context.tar again.tar || fail "the same tree gives two tars"
is schema imgbuild.stage/1 "$(jq -r .schema "$t/out")"
is digest "sha256:$(sha256sum <context.tar | cut -d' ' -f1)" "$(jq -r .digest "$t/out")"
is withheld 2 "$(jq '.withheld | length' "$t/out")"
is action file "$(jq -r '.withheld[] | select(.path == "deploy_key") | .action' "$t/out")"
is action line "$(jq -r '.withheld[] | select(.path == ".npmrc") | .action' "$t/out")"
hasnt "$t/out" "$token"

# The tar on standard output, the report on standard error.
expect 0 "$IMGBUILD" stage app -o - --format json
cmp context.tar "$t/out" || fail "standard output is another tar"
is schema imgbuild.stage/1 "$(jq -r .schema "$t/err")"
expect 0 "$IMGBUILD" stage app --ref main -o ref.tar
