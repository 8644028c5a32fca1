# --config-file SRC:DEST: the script finds the file at DEST; in the image DEST is as it was before, or not at all, and no
# layer holds a byte of it. A copy of what is secret in it is a leak, of the rest it is none.
. "$(dirname "$0")/_common.sh"
mkdir "$t/app" "$t/base"
word="c$(head -c 15 /dev/urandom | od -An -tx1 | tr -d ' \n')F"
printf '[tool]\nindex = https://mirror.example/simple\nkeyword: %s\n' "$word" >"$t/tool.conf"
chmod 640 "$t/tool.conf"
printf 'of the base\n' >"$t/base/tool.conf"
printf 'FROM imgbuild-test/busybox:1\nCOPY tool.conf /etc/tool.conf\nRUN chown 7:7 /etc/tool.conf; chmod 604 /etc/tool.conf; touch -d "2020-01-02 03:04:05" /etc/tool.conf\n' >"$t/base/Dockerfile"
DOCKER_BUILDKIT=0 docker build -q -t "e2e/$name:base" "$t/base" >/dev/null
build=("$IMGBUILD" build "$t/app" --from "e2e/$name:base" --run "$t/script.sh" -t "e2e/$name:1" --report "$t/report.json")
script() {
  printf '%s\n' "$1" >"$t/script.sh"
  docker rmi -f "e2e/$name:1" >/dev/null 2>&1 || true
}
inside() { docker run --rm --entrypoint sh "e2e/$name:1" -c "$1"; }
# no_byte: of the file, or of how it was lent, in the image.
no_byte() {
  docker save "e2e/$name:1" >"$t/image.tar"
  mkdir "$t/image"
  tar -C "$t/image" -xf "$t/image.tar"
  find "$t/image" -name '*.tar' -exec tar -tvf {} \; >"$t/names"
  hasnt "$t/names" imgbuild
  hasnt "$t/names" .wh.
  ! grep -rqF -e "$word" -e mirror.example "$t/image" || fail "it is in a layer"
  rm -rf "$t/image"
}

script 'set -e
cp /etc/tool.conf /dev/shm/a; cmp /dev/shm/a /etc/tool.conf
cmp /etc/tool.conf /root/.config/deep/tool.conf; cmp /etc/tool.conf tool.conf
test "$(stat -Lc "%a %u" /etc/tool.conf)" = "640 $(id -u)"
echo made >/tmp/made'
for user in 0 dev; do
  ran 0 "${build[@]}" --user $user --config-file "$t/tool.conf:/etc/tool.conf" --config-file "$t/tool.conf:/root/.config/deep/tool.conf" \
    --config-file "$t/tool.conf:tool.conf"
  [ "$(inside 'cat /etc/tool.conf; stat -c "%u %g %a %y" /etc/tool.conf | cut -d. -f1')" = "of the base
7 7 604 2020-01-02 03:04:05" ] || { inside 'ls -la /etc'; fail "DEST is not what it was"; }
  inside '! test -e /root/.config' || fail "a folder that was made for it ships"
  no_byte
  hasnt "$t/err" "$word"
  docker rmi "e2e/$name:1" >/dev/null
done

# What the script puts there itself does not ship, and that is told.
script 'sed -i s/simple/mine/ /etc/tool.conf'
ran 0 "${build[@]}" --config-file "$t/tool.conf:/etc/tool.conf"
has "$t/err" 'the script wrote a file of its own to /etc/tool.conf, where one was lent'
[ "$(inside 'cat /etc/tool.conf')" = 'of the base' ] || fail "DEST is not what it was"
no_byte

# A secret of it is looked for in every form; nothing else of it is.
script 'cp /etc/tool.conf /srv-copy'
ran 1 "${build[@]}" --config-file "$t/tool.conf:/etc/tool.conf"
has "$t/err" 'config file /etc/tool.conf'
has "$t/err" srv-copy
script 'grep keyword /etc/tool.conf | tr -d "\n" | base64 >/srv-copy; grep keyword /etc/tool.conf'
ran 1 "${build[@]}" --config-file "$t/tool.conf:/etc/tool.conf"
hasnt "$t/err" "$word"
hasnt "$t/report.json" "$word"
script 'grep index /etc/tool.conf >/srv-copy'
ran 0 "${build[@]}" --config-file "$t/tool.conf:/etc/tool.conf"
# Another content is another build.
ran 0 "${build[@]}" --config-file "$t/tool.conf:/etc/tool.conf"
has "$t/err" 'unchanged since'
docker rmi -f "e2e/$name:1" >/dev/null
printf '[tool]\nindex = https://other.example/simple\n' >"$t/tool.conf"
ran 0 "${build[@]}" --config-file "$t/tool.conf:/etc/tool.conf"
hasnt "$t/err" 'unchanged since'

# A context lends what is in it, where no rule knows a credential.
password=$(openssl rand -hex 20)
printf '//registry.npmjs.org/:_authToken=npm_%s\n' "$password" >"$t/app/.npmrc"
printf 'config_files = [".npmrc:.npmrc"]\n' >"$t/app/imgbuild.toml"
ran 1 "${build[@]}"
has "$t/err" npm.config-credential
hasnt "$t/err" "$password"
printf 'registry = https://mirror.example\n' >"$t/app/.npmrc"
script 'grep -q mirror .npmrc'
ran 0 "${build[@]}"
rm "$t/app/.npmrc" "$t/app/imgbuild.toml"

# A place that is no file's: told in one line, and nothing is left. A script that is ended leaves nothing either.
script 'true'
for place in /etc /etc/hosts /etc/tool.conf/below; do
  ran 3 "${build[@]}" --config-file "$t/tool.conf:$place"
  has "$t/err" "imgbuild: the builder: $place: "
done
script 'kill -9 $PPID; sleep 5'
ran 3 "${build[@]}" --config-file "$t/tool.conf:/etc/tool.conf"
script 'sleep 60'
ran 3 "${build[@]}" --config-file "$t/tool.conf:/etc/tool.conf" --timeout 1s
nothing_left
