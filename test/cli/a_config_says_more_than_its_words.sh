# A command's words are read as one line, so that a flag tells what the next word is; what is packed in a variable or
# behind a layer's compressed stream is opened.
. "$(dirname "$0")/_common.sh"
mkdir root
printf 'hello\n' >root/hello
layer layer.tar root
make_key key
password=$(openssl rand -base64 15 | tr '+/' 'xy')
with() { # with JSON: an image whose config says that
  CONFIG=$1 archive image.tar layer.tar
  expect "${2:-1}" "$IMGBUILD" audit --format json archive:image.tar
}
place() { jq -r '[.images[0].leaks[] | "\(.locations[0].kind) \(.locations[0].path)"] | join(", ")' "$t/out"; }
with "$(jq -nc --arg p "$password" '{Cmd: ["mysqld_safe", "--password", $p]}')"
is 'a command' 'config Cmd' "$(place)"
with "$(jq -nc --arg p "$password" '{Entrypoint: ["curl", "-u", ("admin:" + $p), "https://acme.test/"]}')"
is 'an entrypoint' 'config Entrypoint' "$(place)"
with "$(jq -nc --arg p "$password" '{Healthcheck: {Test: ["CMD", "mysqladmin", "--password", $p, "ping"]}}')"
is 'a health check' 'config Healthcheck.Test' "$(place)"
with '{"Cmd": ["mysqld_safe", "--password", "$DB_PASSWORD"]}' 0
with "$(jq -nc --arg p "$(gzip -c key | base64 -w0)" '{Env: [("USER_DATA=" + $p)]}')"
is 'packed in a variable' 'config config' "$(place)"
has "$t/out" '"gzip"'

gzip -nc layer.tar >layer.tar.gz
{ cat layer.tar.gz; printf 'and then '; gzip -c key; } >behind.tar.gz
jq -n --arg diff "sha256:$(sha256sum <layer.tar | cut -d' ' -f1)" \
  '{architecture: "amd64", os: "linux", config: {}, rootfs: {type: "layers", diff_ids: [$diff]}}' >config.json
printf '[{"Config": "config.json", "RepoTags": ["app:1"], "Layers": ["behind.tar.gz"]}]' >manifest.json
tar -cf image.tar manifest.json config.json behind.tar.gz
expect 1 "$IMGBUILD" audit --format json archive:image.tar
is 'behind a layer' 'ssh.private-key tail' "$(jq -r '.images[0].leaks[] | "\(.rule) \(.locations[0].kind)"' "$t/out")"
