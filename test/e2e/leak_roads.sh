# A leak by each road is refused: exit 1, no name, and the road told.
. "$(dirname "$0")/_common.sh"
mkdir "$t/app"
ssh-keygen -q -t ed25519 -N '' -f "$t/key" -C ''
key_line=$(sed -n 2p "$t/key")
secret="s$(head -c 15 /dev/urandom | od -An -tx1 | tr -d ' \n')T"
printf '%s' "$secret" >"$t/secret"
token="ghp""_$(head -c 200 /dev/urandom | base64 -w0 | tr -dc 'A-Za-z0-9' | head -c 30)"
# The last six characters of such a token are the CRC32 of the rest, in base 62.
token=$(python3 - "$token" <<'PYTHON'
import sys, zlib
t = sys.argv[1]
digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
n, tail = zlib.crc32(t[4:].encode()), ""
while n:
    n, d = divmod(n, 62)
    tail = digits[d] + tail
print(t + tail.rjust(6, "0"))
PYTHON
)

# refused ROAD WORD SCRIPT [FLAGS...]: builds with SCRIPT and wants it refused, with WORD in the report.
refused() {
  local road=$1 word=$2 script=$3
  shift 3
  printf '%s\n' "$script" >"$t/script.sh"
  ran 1 "$IMGBUILD" build "$t/app" --from "${BASE:-imgbuild-test/busybox:1}" --network host --run "$t/script.sh" \
    -t "e2e/$name:leak" --report "$t/report.json" "$@"
  no_image "e2e/$name:leak"
  [ "$(jq -r '.images[0].verdict' "$t/report.json")" = leak ] || fail "$road: the report does not say leak"
  has "$t/err" "$word"
  for value in "$secret" "$token" "$key_line"; do
    hasnt "$t/err" "$value"
    hasnt "$t/out" "$value"
    hasnt "$t/report.json" "$value"
  done
  nothing_left
  printf 'refused: %s\n' "$road"
}

# The script's own text must not give the leak away before the build: each letter is the one behind it.
make_key="printf %s '$(base64 -w0 "$t/key" | tr a-zA-Z b-zaB-ZA)' | tr b-zaB-ZA a-zA-Z | base64 -d"
refused 'a key written by the script' srv/key.pem "mkdir -p /srv; $make_key >/srv/key.pem" --secret "id=s,src=$t/secret"
[ "$(jq -r '.images[0].leaks[0].key.fingerprint' "$t/report.json")" = "$(ssh-keygen -lf "$t/key.pub" | cut -d' ' -f2)" ] ||
  fail "the key is not told by its fingerprint"
refused 'a key inside a tar.gz' srv/a.tgz "mkdir -p /srv/d; $make_key >/srv/d/k; tar -C /srv -czf /srv/a.tgz d; rm -r /srv/d"
refused 'a handed-out secret, plain' srv/plain "mkdir -p /srv; cat \"\$BUILD_SECRETS/s\" >/srv/plain" --secret "id=s,src=$t/secret"
refused 'a handed-out secret, base64' srv/b64 "mkdir -p /srv; base64 \"\$BUILD_SECRETS/s\" >/srv/b64" --secret "id=s,src=$t/secret"
refused 'a handed-out secret, hex' srv/hex "mkdir -p /srv; od -An -v -tx1 \"\$BUILD_SECRETS/s\" | tr -d ' \\n' >/srv/hex" --secret "id=s,src=$t/secret"
refused 'a token in .git/config' app/.git/config \
  "mkdir -p /app/.git; printf '[remote \"origin\"]\n\turl = https://x:%s@git.example.org/a.git\n' \"\$(printf %s '$(printf %s "$token" | tr a-zA-Z b-zaB-ZA)' | tr b-zaB-ZA a-zA-Z)\" >/app/.git/config"
refused 'a file name alone' root/.ssh/id_rsa "mkdir -p /root/.ssh; echo nothing >/root/.ssh/id_rsa"

mkdir "$t/base"
cp "$t/key" "$t/base/key.pem"
printf 'FROM imgbuild-test/busybox:1\nCOPY key.pem /srv/key.pem\nRUN rm /srv/key.pem\n' >"$t/base/Dockerfile"
DOCKER_BUILDKIT=0 docker build -q -t "e2e/$name:deleted" "$t/base" >/dev/null
BASE=e2e/$name:deleted refused 'a key that a later layer of the base deleted' deleted 'touch /srv/x'
[ "$(jq -r '.images[0].leaks[0].locations[0].state' "$t/report.json")" = deleted ] || fail "the state is not told"
printf 'FROM imgbuild-test/busybox:1\nENV GITHUB_TOKEN=%s\n' "$token" >"$t/base/Dockerfile"
DOCKER_BUILDKIT=0 docker build -q -t "e2e/$name:env" "$t/base" >/dev/null
BASE=e2e/$name:env refused "a token in the base's ENV" Env.GITHUB_TOKEN 'touch /srv'
