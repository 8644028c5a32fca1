# registry: and oci: against Debian's docker-registry on loopback, plain, with a login and with TLS of our own authority;
# pushes made by docker and by skopeo.
. "$(dirname "$0")/_common.sh"
. "$(dirname "$0")/_registry.sh"
registries_up together "auth: {htpasswd: {realm: here, path: $t/htpasswd}}"

# One clean image and one with a key that a later layer deletes, pushed by docker.
ssh-keygen -q -t ed25519 -N '' -C '' -f "$t/key"
make_image() { # make_image NAME COMMAND...
  local container
  container=$(docker run -d --network none imgbuild-test/busybox:1 cat)
  docker cp "$t/key" "$container:/root/id" >/dev/null
  [ "$2" = leak ] || { docker rm -f "$container" >/dev/null; docker tag imgbuild-test/busybox:1 "$1"; return; }
  docker commit "$container" "$1-step" >/dev/null
  docker rm -f "$container" >/dev/null
  container=$(docker run -d --network none "$1-step" rm /root/id)
  docker wait "$container" >/dev/null
  docker commit "$container" "$1" >/dev/null
  docker rm -f "$container" >/dev/null
  docker rmi "$1-step" >/dev/null
}
make_image "$plain/e2e/registry:clean" clean
make_image "$plain/e2e/registry:leak" leak
docker push -q "$plain/e2e/registry:clean" >/dev/null
docker push -q "$plain/e2e/registry:leak" >/dev/null
ids=$(docker image inspect -f '{{.Id}}' "$plain/e2e/registry:leak")
ran 0 "$IMGBUILD" audit --no-cache "registry:$plain/e2e/registry:clean"
ran 1 "$IMGBUILD" audit --no-cache "registry:$plain/e2e/registry:leak" --format json
[ "$(jq -r '.images[0].id' "$t/out")" = "$ids" ] || fail 'another id than the engine has'
[ "$(jq -r '.images[0].leaks[0].locations[0] | "\(.path) \(.state)"' "$t/out")" = 'root/id deleted' ] || fail 'not the deleted key'
ran 1 "$IMGBUILD" audit --no-cache "docker:$plain/e2e/registry:leak"
ran 1 env CONTAINER_HOST="$DOCKER_HOST" "$IMGBUILD" audit --no-cache "podman:$plain/e2e/registry:leak"
ran 3 env XDG_RUNTIME_DIR="$t" CONTAINER_HOST="unix://$t/none" "$IMGBUILD" audit --no-cache podman:app
docker rmi "$plain/e2e/registry:clean" "$plain/e2e/registry:leak" >/dev/null
ran 3 "$IMGBUILD" audit --no-cache "registry:$plain/e2e/registry:none"
has "$t/err" 'it has no image none'
# Both in one command: what they share is fetched once.
: >"$t/plain.log"
ran 1 "$IMGBUILD" audit --no-cache "registry:$plain/e2e/registry:clean" "registry:$plain/e2e/registry:leak" --format json
shared=$(curl -s -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' "http://$plain/v2/e2e/registry/manifests/clean" | jq -r '.layers[0].digest')
[ "$(grep -c "GET /v2/e2e/registry/blobs/$shared" "$t/plain.log")" = 1 ] || fail 'a shared layer was not fetched exactly once'

# skopeo: into a layout and back, as OCI with zstd layers, to the registries with a login.
policy=(--insecure-policy)
skopeo "${policy[@]}" copy -q --src-tls-verify=false "docker://$plain/e2e/registry:leak" "oci:$t/layout:leak"
skopeo "${policy[@]}" copy -q --src-tls-verify=false "docker://$plain/e2e/registry:clean" "oci:$t/layout:clean"
ran 0 "$IMGBUILD" audit --no-cache "oci:$t/layout:clean"
ran 1 "$IMGBUILD" audit --no-cache "oci:$t/layout:leak"
ran 1 "$IMGBUILD" audit --no-cache "oci:$t/layout" --format json
[ "$(jq '.images | length' "$t/out")" = 2 ] || fail 'not both images of the layout'
config=$(jq -r .config.digest "$t/layout/blobs/sha256/$(jq -r '.manifests[] | select(.annotations[] == "leak") | .digest[7:]' "$t/layout/index.json")")
[ "$(jq -r '[.images[].id] | index("'"$config"'") != null' "$t/out")" = true ] || fail 'the layout has another id'
skopeo "${policy[@]}" copy -q --dest-compress-format zstd --dest-tls-verify=false "oci:$t/layout:leak" "docker://$plain/e2e/registry:zstd" 2>"$t/err" ||
  { cat "$t/err" >&2; fail 'skopeo'; }
ran 1 "$IMGBUILD" audit --no-cache "registry:$plain/e2e/registry:zstd"
skopeo "${policy[@]}" copy -q "oci:$t/layout:leak" "oci-archive:$t/leak.tar:leak"
ran 1 "$IMGBUILD" audit --no-cache "oci:$t/leak.tar:leak"
ran 1 "$IMGBUILD" audit --no-cache "archive:$t/leak.tar"
skopeo "${policy[@]}" copy -q "oci:$t/layout:leak" "docker-archive:$t/docker.tar:app:1"
ran 1 "$IMGBUILD" audit --no-cache "archive:$t/docker.tar"

# A login that is missing, wrong and right; TLS that nobody vouches for, and that our authority does.
export DOCKER_CONFIG=$t/docker
mkdir "$DOCKER_CONFIG"
log_in() { # log_in HOST PASSWORD
  jq -nc --arg h "$1" --arg a "$(printf 'me:%s' "$2" | base64 -w0)" '{auths: {($h): {auth: $a}}}' >"$DOCKER_CONFIG/config.json"
}
ran 3 "$IMGBUILD" audit --no-cache "registry:$closed/e2e/registry:leak"
has "$t/err" 'docker login'
log_in "$closed" "not-$password"
ran 3 "$IMGBUILD" audit --no-cache "registry:$closed/e2e/registry:leak"
hasnt "$t/err" "$password"
log_in "$closed" "$password"
ran 1 "$IMGBUILD" audit --no-cache "registry:$closed/e2e/registry:leak"
log_in "$secure" "$password"
ran 3 "$IMGBUILD" audit --no-cache "registry:$secure/e2e/registry:leak"
has "$t/err" certificate
mkdir -p "$HOME/.config/docker/certs.d/$secure"
cp "$t/ca.crt" "$HOME/.config/docker/certs.d/$secure/"
ran 1 "$IMGBUILD" audit --no-cache "registry:$secure/e2e/registry:leak"
ran 0 "$IMGBUILD" audit --no-cache "registry:$secure/e2e/registry:clean"

# A layer that the registry lost, and one whose bytes it changed: cut short, or another byte.
data=$t/registry/docker/registry/v2/blobs/sha256
lost=$(curl -s -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' "http://$plain/v2/e2e/registry/manifests/clean" | jq -r '.layers[0].digest')
file=$data/${lost:7:2}/${lost#sha256:}/data
cp "$file" "$t/whole"
for size in 0 1 1000 100000 $(($(stat -c %s "$file") - 1)); do
  head -c "$size" "$t/whole" >"$file"
  ran 3 "$IMGBUILD" audit --no-cache "registry:$plain/e2e/registry:clean"
  has "$t/err" 'layer 0: '
done
printf X | cat "$t/whole" - >"$file"
ran 3 "$IMGBUILD" audit --no-cache "registry:$plain/e2e/registry:clean"
cp "$t/whole" "$file"
printf X | dd of="$file" bs=1 seek=5000 conv=notrunc status=none
ran 3 "$IMGBUILD" audit --no-cache "registry:$plain/e2e/registry:clean"
has "$t/err" 'layer 0: '
rm "$file"
ran 3 "$IMGBUILD" audit --no-cache "registry:$plain/e2e/registry:clean"
has "$t/err" "layer 0: $lost is missing"
