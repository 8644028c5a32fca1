# A pipeline as CI has it: a container with the engine's socket and a token in its environment, no agent, no known_hosts
# and no folder of the host's. Checkout, build with --git-token, audit, push to a registry.
. "$(dirname "$0")/_common.sh"
. "$SOURCE/test/e2e/_registry.sh"
. "$SOURCE/test/e2e/_git.sh"
engine_base_debian
git_up "$t/forge"
registries_up together ''
git_repository lib
# The project: it fetches a private library while it is built.
work=$t/work
git init -q -b main "$work"
printf 'set -e\ngit clone -q https://%s/lib.git /srv/lib\ncp main.c /srv/\n' "$GIT_HOST" >"$work/build.sh"
printf 'int main(void) { return 1; }\n' >"$work/main.c"
git -C "$work" add . && git -C "$work" -c user.name=dev -c user.email=dev@example.org commit -q -m start
git clone -q --bare "$work" "$GIT_DIR_HERE/repositories/project.git"

# The job's image: Debian with git, and imgbuild with what it is linked to.
tree=$t/job
mkdir -p "$tree/opt/lib"
cp "$IMGBUILD" "$tree/opt/imgbuild"
ldd "$IMGBUILD" | awk '$3 ~ /^\// {print $3}' | xargs -I{} cp -L {} "$tree/opt/lib/"
loader=$(ldd "$IMGBUILD" | awk '/ld-linux/ {print $1}')
cp -L "$loader" "$tree/opt/lib/loader"
cp "$t/forge/ca.crt" "$tree/opt/ca.crt"
cat >"$tree/opt/job.sh" <<'JOB'
set -eu
imgbuild() { /opt/lib/loader --library-path /opt/lib /opt/imgbuild "$@"; }
git -c http.sslCAInfo=/opt/ca.crt -c credential.helper='!f() { echo username=x-access-token; echo "password=$CI_TOKEN"; }; f' \
  clone -q "https://$FORGE/project.git" /work
cd /work
imgbuild build . --from imgbuild-test/debian:1 --network host --run build.sh -t "$IMAGE" \
  --secret id=forge,env=CI_TOKEN --git-token "$FORGE=forge" --ca-cert /opt/ca.crt
imgbuild audit "$IMAGE"
imgbuild push "$IMAGE"
JOB
printf 'FROM imgbuild-test/debian:1\nCOPY opt /opt\n' | docker build -q -t "e2e/$name:job" -f - "$tree" >/dev/null
rm -r "$tree"
image=$plain/e2e/$name:1
ran 0 docker run --rm --network host -v "${DOCKER_HOST#unix://}:/var/run/docker.sock" -e "CI_TOKEN=$GIT_TOKEN" -e "FORGE=$GIT_HOST" -e "IMAGE=$image" \
  -e ASAN_OPTIONS=detect_leaks=0 "e2e/$name:job" sh /opt/job.sh
hasnt "$t/out" "$GIT_TOKEN"
hasnt "$t/err" "$GIT_TOKEN"
has "$t/err" "named $image"
docker rmi -f "$image" >/dev/null
ran 0 "$IMGBUILD" audit "registry:$image"
docker pull -q "$image" >/dev/null
docker run --rm --network none "$image" sh -c 'test -s /srv/lib/main.c && test -s /srv/main.c && test ! -e /srv/lib/.git/credentials'
docker image inspect "$image" >"$t/config"
hasnt "$t/config" "$GIT_TOKEN"
