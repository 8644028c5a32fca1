# imgbuild push: what was audited arrives, by digest, in a real docker-registry on loopback; a refused push sends nothing.
. "$(dirname "$0")/_common.sh"
. "$(dirname "$0")/_registry.sh"
registries_up apart ''

layer_on() { # layer_on BASE FILE PATH NAME: BASE with one more layer, which holds FILE as PATH
  local container
  container=$(docker create --network none "$1" true)
  docker cp "$2" "$container:$3" >/dev/null
  docker commit "$container" "$4" >/dev/null
  docker rm "$container" >/dev/null
}
id_of() { docker image inspect -f '{{.Id}}' "$1"; }
accept='Accept: application/vnd.docker.distribution.manifest.v2+json'
manifest_of() { curl -sf -H "$accept" "http://$plain/v2/e2e/push/manifests/$1"; }
digest_of() { manifest_of "$1" | sha256sum | cut -d' ' -f1; }
head -c 3000000 /dev/urandom >"$t/data"
ssh-keygen -q -t ed25519 -N '' -C '' -f "$t/key"
layer_on imgbuild-test/busybox:1 "$t/data" /data "$plain/e2e/push:1"
echo more >"$t/more"
layer_on "$plain/e2e/push:1" "$t/more" /more "$plain/e2e/push:2"
layer_on "$plain/e2e/push:2" "$t/key" /root/id "$plain/e2e/push:leak"

# It arrives, whole, as what it was: an engine that pulls it has the same id; the digest that is printed is the one there.
ran 0 "$IMGBUILD" push "$plain/e2e/push:1"
[ "$(cat "$t/out")" = "$plain/e2e/push@sha256:$(digest_of 1)" ] || fail 'another digest than the registry has'
has "$t/err" 'sent 2 of 2 layers'
id=$(id_of "$plain/e2e/push:1")
[ "$(manifest_of 1 | jq -r .config.digest)" = "$id" ] || fail 'another config than the engine has'
ran 0 "$IMGBUILD" audit --no-cache "registry:$plain/e2e/push:1"

# Only what the registry lacks is sent, also where the engine has packed the layers otherwise before.
ran 0 "$IMGBUILD" push "$plain/e2e/push:1"
has "$t/err" 'sent 0 of 2 layers'
ran 0 "$IMGBUILD" push "$plain/e2e/push:2"
has "$t/err" 'sent 1 of 3 layers'
docker tag "$plain/e2e/push:1" "$plain/e2e/other:1"
docker push -q "$plain/e2e/other:1" >/dev/null
docker tag "$plain/e2e/push:2" "$plain/e2e/other:2"
rm -r "$XDG_CACHE_HOME" # what we know of layers' names
ran 0 "$IMGBUILD" push "$plain/e2e/other:2" "$plain/e2e/other:1"
has "$t/err" 'sent 1 of 3 layers'
docker rmi "$plain/e2e/other:1" "$plain/e2e/other:2" >/dev/null
docker pull -q "$plain/e2e/other:1" >/dev/null
[ "$(id_of "$plain/e2e/other:1")" = "$(id_of "$plain/e2e/push:2")" ] || fail 'the engine pulled another image'
docker run --rm --network none "$plain/e2e/other:1" true || fail 'what was pushed does not run'
docker rmi "$plain/e2e/other:1" >/dev/null

# A leak: nothing is sent, no request but the question whether we are let in.
: >"$t/plain.log"
ran 1 "$IMGBUILD" push "$plain/e2e/push:leak"
has "$t/err" 'ssh.private-key'
has "$t/err" 'nothing was sent'
[ ! -s "$t/out" ] || fail 'a refused push has a result'
! grep -qE '"(POST|PUT|PATCH) |http.request.method=(POST|PUT|PATCH)' "$t/plain.log" || fail 'a refused push has sent something'
! manifest_of leak >/dev/null || fail 'the leak is in the registry'

# The name moves while it is looked at: what was looked at is what arrives.
docker tag "$plain/e2e/push:2" "$plain/e2e/push:moves"
: >"$t/err"
"$IMGBUILD" push --no-cache "$plain/e2e/push:moves" >"$t/out" 2>"$t/err" &
pushes=$!
until [ ! -d /proc/$pushes ] || grep -q auditing "$t/err"; do sleep 0.02; done
docker tag "$plain/e2e/push:leak" "$plain/e2e/push:moves"
wait $pushes || fail "a push whose name moves: $(cat "$t/err")"
[ "$(manifest_of moves | jq -r .config.digest)" = "$(sed -n 's/^imgbuild: auditing //p' "$t/err")" ] || fail 'not what was audited'
[ "$(manifest_of moves | jq -r .config.digest)" = "$(id_of "$plain/e2e/push:2")" ] || fail 'the leak arrived by its name'

# Logins and TLS, asked for before the long part.
export DOCKER_CONFIG=$t/docker
mkdir "$DOCKER_CONFIG"
ran 3 "$IMGBUILD" push "$plain/e2e/push:1" "$closed/e2e/push:1"
has "$t/err" 'docker login'
hasnt "$t/err" auditing
jq -nc --arg h "$closed" --arg a "$(printf 'me:%s' "$password" | base64 -w0)" '{auths: {($h): {auth: $a}}}' >"$DOCKER_CONFIG/config.json"
ran 0 "$IMGBUILD" push "$plain/e2e/push:1" "$closed/e2e/push:1"
ran 3 "$IMGBUILD" push "$plain/e2e/push:1" "$secure/e2e/push:1"
has "$t/err" certificate
mkdir -p "$HOME/.config/docker/certs.d/$secure"
cp "$t/ca.crt" "$HOME/.config/docker/certs.d/$secure/"
ran 0 "$IMGBUILD" push "$plain/e2e/push:1" "$secure/e2e/push:1"

# A build that pushes: where a registry does not let us in, or does not answer, that is told before anything is built.
mkdir "$t/app"
build=("$IMGBUILD" build "$t/app" --from imgbuild-test/busybox:1 --network none --push)
: >"$t/plain.log"
ran 0 "${build[@]}" -t "$plain/e2e/push:built" -- sh -c 'echo built >/srv-built'
[ "$(manifest_of built | jq -r .config.digest)" = "$(id_of "$plain/e2e/push:built")" ] || fail 'another config than the engine has'
[ "$(cat "$t/out")" = "$(id_of "$plain/e2e/push:built")" ] || fail 'the id is not the result'
: >"$t/plain.log"
ran 1 "${build[@]}" -t "$plain/e2e/push:keyed" --secret "id=key,src=$t/key" -- sh -c 'cp $BUILD_SECRETS/key /srv-key'
! grep -qE '"(POST|PUT|PATCH) |http.request.method=(POST|PUT|PATCH)' "$t/plain.log" || fail 'a refused build has sent something'
ran 3 "${build[@]}" -t "127.0.0.1:$(free_port)/e2e/push:built" -- true
hasnt "$t/err" staging
(rm "$DOCKER_CONFIG/config.json" && ran 3 "${build[@]}" -t "$closed/e2e/push:built" -- true)
has "$t/err" 'docker login'
hasnt "$t/err" staging
ran 0 "${build[@]}" -t "$plain/e2e/push:built" --dry-run -- true
has "$t/out" "push $plain/e2e/push:built"

# What makes no sense is one line.
ran 2 "$IMGBUILD" push "$id"
has "$t/err" 'imgbuild push IMAGE HOST/NAME:TAG'
ran 2 "$IMGBUILD" push "$plain/e2e/push:1" "https://$plain/e2e/push:1"
ran 3 "$IMGBUILD" push "$plain/e2e/push:none"
ran 3 "$IMGBUILD" push "$plain/e2e/push:1" "127.0.0.1:$(free_port)/e2e/push:1"
