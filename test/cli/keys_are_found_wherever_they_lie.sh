# Keys of every program that makes them, in every layout that people paste them in: each is found once, as a key, and
# told to be encrypted where it is: all but one in 200 of them.
. "$(dirname "$0")/_common.sh"
command -v gpg >/dev/null && command -v puttygen >/dev/null || { echo 'no gpg or no puttygen here'; exit 77; }
chmod 700 "$t"
python3 "$(dirname "$0")/_keys.py" "$IMGBUILD" "$t/keys" >"$t/out" || {
  grep -E '^(missed|wrong|found)' "$t/out" >&2
  fail 'keys are missed, or told wrong'
}
tail -n 1 "$t/out"
# A header with nothing behind it, and the public halves, are nothing.
mkdir root
mkdir -p root/etc/ssh
printf -- '-----BEGIN RSA PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----\n' >root/header
cp "$t"/keys/made/*.pub "$t"/keys/made/*.crt root/
ls root/*.pub >/dev/null
printf '{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}' >root/jwk
expect 0 "$IMGBUILD" audit dir:root
# A passphrase that everybody knows hides nothing; another makes it one lower.
openssl genrsa -aes128 -traditional -passout pass:changeit 2048 >root/a 2>/dev/null
openssl genpkey -algorithm ed25519 -aes-256-cbc -pass pass:changeit >root/b 2>/dev/null
openssl genpkey -algorithm ed25519 -aes-256-cbc -pass "pass:a long one, of mine" >root/c
make_key root/etc/ssh/ssh_host_ed25519_key
expect 1 "$IMGBUILD" audit dir:root --format json
severity() { jq -r --arg path "$1" '.images[0].leaks[] | select(.locations[0].path == $path) | "\(.severity) \(.key.encrypted)"' "$t/out"; }
is 'a default one' 'critical false' "$(severity a)"
is 'another default one' 'critical false' "$(severity b)"
is 'a good one' 'high true' "$(severity c)"
has "$t/out" 'every copy of this image shares it'
