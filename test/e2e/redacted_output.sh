# What the script prints is redacted, also where a value is cut between two writes; its exit status is told, ours is 4.
. "$(dirname "$0")/_common.sh"
mkdir "$t/app"
secret="q$(head -c 15 /dev/urandom | od -An -tx1 | tr -d ' \n')Z"
printf '%s\n' "$secret" >"$t/secret"
cat >"$t/script.sh" <<'SCRIPT'
value=$(cat "$BUILD_SECRETS/s")
echo "plain $value end"
printf 'cut %s' "${value%????????????}"
sleep 1
printf '%s end\n' "${value#????????????????????}"
printf '%s' "$value" | base64
echo to-stderr "$value" >&2
exit 7
SCRIPT
ran 4 "$IMGBUILD" build "$t/app" --from imgbuild-test/busybox:1 --run "$t/script.sh" -t "e2e/$name:1" --secret "id=s,src=$t/secret"
hasnt "$t/err" "$secret"
hasnt "$t/err" "${secret:0:20}"
hasnt "$t/err" "$(printf '%s' "$secret" | base64)"
has "$t/err" 'plain [redacted: '
has "$t/err" 'to-stderr [redacted: '
grep -qE 'exit(ed)?.* 7|status 7' "$t/err" || { cat "$t/err"; fail "the script's status is not told"; }
no_image "e2e/$name:1"
nothing_left
