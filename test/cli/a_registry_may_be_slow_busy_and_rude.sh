# registry: against a registry that breaks off, is busy, redirects, wants a login, lies: what is whole is audited, what
# is not is one line, and no credential is in it or goes where it must not.
. "$(dirname "$0")/_common.sh"
. "$SOURCE/test/cli/_layout.sh"
. "$SOURCE/test/cli/_registry.sh"
mkdir tree
make_key tree/id
head -c 5000 /dev/urandom | base64 >tree/noise
layer l.tar tree
image=$(PACK='gzip -c' oci_image app l.tar)
oci_index app "$(descriptor app "$image" $manifest_type)"
big=$(jq -r '.layers[0].digest' "app/blobs/sha256/${image#sha256:}")
leaks() { # the key is found, whatever stood in the way
  expect 1 "$IMGBUILD" audit --no-cache "$@" --format json
  is 'the key' id "$(jq -r '.images[0].leaks[0].locations[0].path' "$t/out")"
}
password=$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')
logged_in() { # config.json with a login for the registry
  mkdir -p "$HOME/.docker"
  jq -nc --arg h "127.0.0.1:$(cat port)" --arg a "$(printf 'me:%s' "$password" | base64 -w0)" '{auths: {($h): {auth: $a}}}' >"$HOME/.docker/config.json"
}
logged_out() { rm -rf "$HOME/.docker"; }
export REGISTRY_LOGIN=''

serve
leaks "$target"
leaks "$target@$image"
expect 3 "$IMGBUILD" audit --no-cache "$target:2"
one_line 'it has no image 2'
expect 3 "$IMGBUILD" audit --no-cache "$target@sha256:$(printf '%064d' 1)"
expect 3 "$IMGBUILD" audit "registry:127.0.0.1:$(cat port)/other"
for mode in busy cut norange redirect bearer expiring; do
  serve $mode $([ $mode != expiring ] || echo bearer)
  leaks "$target"
done
for mode in short long changed; do
  serve $mode
  expect 3 "$IMGBUILD" audit --no-cache "$target"
  told_in_one_line "$([ $mode = long ] && echo 'bytes that the manifest says' || echo 'layer 0: ')"
done
has "$t/err" "expected $big"
serve down
expect 3 "$IMGBUILD" audit --no-cache "$target"
one_line 'status 500'
[ "$(wc -l <log)" -ge 5 ] || fail 'it was not tried again'
rm "app/blobs/sha256/${big#sha256:}"
serve
expect 3 "$IMGBUILD" audit --no-cache "$target"
told_in_one_line "layer 0: $big is missing"
image=$(PACK='gzip -c' oci_image app l.tar)
stop
expect 3 "$IMGBUILD" audit --no-cache "$target"
one_line 'refused'

# Who asks.
export REGISTRY_LOGIN=me:$password
for mode in basic bearer; do
  logged_out
  serve $mode echo
  expect 3 "$IMGBUILD" audit --no-cache "$target"
  one_line 127.0.0.1
  has "$t/err" 'docker login'
  logged_in
  leaks "$target"
  serve $mode redirect echo
  logged_in
  leaks "$target"
  hasnt log 'second /v2/team/app/blobs/'"$big"' B'
  grep -q 'second' log || fail 'nothing was asked of where the redirect leads'
  ! grep -q '^second .* [^-]*$' log || fail 'the Authorization went to another server'
  # A wrong one is not shown, even where the server says it back.
  serve $mode echo
  right=$password password=wrong-$password
  logged_in
  password=$right
  expect 3 "$IMGBUILD" audit --no-cache "$target"
  one_line 127.0.0.1
  hasnt "$t/err" "$password"
  hasnt "$t/err" "$(printf 'me:wrong-%s' "$password" | base64 -w0)"
done
# An identity token, and a helper.
export REGISTRY_LOGIN=$password
serve bearer
mkdir -p "$HOME/.docker"
jq -nc --arg h "127.0.0.1:$(cat port)" --arg a "$(printf '00000000-0000:' | base64 -w0)" --arg i "$password" \
  '{auths: {($h): {auth: $a, identitytoken: $i}}}' >"$HOME/.docker/config.json"
leaks "$target"
export REGISTRY_LOGIN=me:$password
serve basic
mkdir bin
cat >bin/docker-credential-test <<HELPER
#!/bin/sh
read -r server
[ "\$1 \$server" = "get 127.0.0.1:$(cat port)" ] && printf '{"ServerURL":"x","Username":"me","Secret":"%s"}' '$password'
HELPER
chmod +x bin/docker-credential-test
jq -nc '{credsStore: "test"}' >"$HOME/.docker/config.json"
PATH=$PWD/bin:$PATH leaks "$target"
logged_out

# What two targets share is asked for once, and so is what a layout had.
export REGISTRY_LOGIN=''
serve
leaks "$target" "$target:latest" "$target@$image"
is 'the layer was fetched' 1 "$(grep -c "blobs/$big" log)"
serve
leaks oci:app "$target"
is 'the layer was fetched' 0 "$(grep -c "blobs/$big" log || true)"
# A name that holds a password is not said again.
expect 2 "$IMGBUILD" audit "registry:me:$password@127.0.0.1/app"
hasnt "$t/err" "$password"
expect 2 "$IMGBUILD" audit registry:https://127.0.0.1/app
