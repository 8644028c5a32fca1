# Wherever a secret lies, in names, instructions, config, contents: no output repeats it, in any format.
. "$(dirname "$0")/_common.sh"
token=$(make_token)
make_key key
mkdir -p "tree/srv/$token" tree/srv/b
printf 'token=%s\n' "$token" >"tree/srv/$token/$token.txt"
printf '%s' "$token" | base64 -w0 >tree/srv/b/64
ln -s "/srv/$token" tree/srv/b/link
cp key tree/srv/b/key.pem
layer l.tar tree
CONFIG="{\"Env\": [\"T=$token\"], \"Labels\": {\"l\": \"$token\", \"$token\": \"x\"}, \"Cmd\": [\"sh\", \"-c\", \"login $token\"]}" archive leak.tar l.tar
key_line=$(sed -n 2p key)
check() {
  for value in "$token" "$key_line" "$(printf '%s' "$token" | base64 -w0)"; do
    hasnt "$t/out" "$value"
    hasnt "$t/err" "$value"
    hasnt "$t/out" "${value:4:16}"
    hasnt "$t/err" "${value:4:16}"
  done
}
for format in text json; do
  expect 1 "$IMGBUILD" audit archive:leak.tar --format $format
  check
  cp leak.tar "$token.tar"
  expect 1 "$IMGBUILD" audit "./$token.tar" --format $format
  check
done
has "$t/out" '[redacted: '
mkdir app
printf 'const t = "%s";\n' "$token" >app/a.js
printf 'x\n' >"app/$token.txt"
cp key app/
for format in text json; do
  expect 1 "$IMGBUILD" stage app --format $format
  check
done
expect 1 "$IMGBUILD" rules test app/a.js
check
has "$t/out" app/a.js:1
