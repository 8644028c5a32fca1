# Proxies, certificate authorities, names and limits reach the builder, and nothing of them the image; a proxy's password
# in an image is a leak.
. "$(dirname "$0")/_common.sh"
. "$SOURCE/test/e2e/_git.sh"
engine_base_debian
git_up "$t/forge"
mkdir "$t/app"
builds() {
  local want=$1 script=$2
  shift 2
  printf '%s\n' "$script" >"$t/script.sh"
  docker rmi -f "e2e/$name:${tag:-1}" >/dev/null 2>&1 || true
  ran "$want" "$IMGBUILD" build "$t/app" --from imgbuild-test/debian:1 --network host --run "$t/script.sh" -t "e2e/$name:${tag:-1}" "$@"
}
clean_config() { # nothing that was only around the builder is in the image
  docker image inspect "e2e/$name:1" >"$t/config"
  for word in proxy CERT CAINFO "$@"; do ! grep -qi -- "$word" "$t/config" || fail "$word is in the config"; done
  docker history --no-trunc "e2e/$name:1" >"$t/config"
  for word in proxy CERT "$@"; do ! grep -qi -- "$word" "$t/config" || fail "$word is in the history"; done
}

# Proxies: only when asked for, or as docker's own settings say.
password=$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')
export http_proxy=http://me:$password@127.0.0.1:3128 NO_PROXY=localhost
builds 0 'test -z "$http_proxy$HTTP_PROXY$no_proxy"'
builds 0 'test -n "$http_proxy" && test "$HTTP_PROXY" = "$http_proxy" && test "$no_proxy" = localhost && test -z "$https_proxy"
echo "my proxy is $http_proxy"' --proxy
hasnt "$t/err" "$password"
has "$t/err" 'my proxy is'
clean_config "$password"
tag=2 builds 1 'echo "Acquire::http::Proxy \"$http_proxy\";" >/etc/apt/apt.conf.d/90proxy' --proxy
has "$t/err" 'the login of http_proxy'
no_image "e2e/$name:2"
unset http_proxy NO_PROXY
mkdir "$t/docker"
printf '{"proxies": {"default": {"httpsProxy": "http://127.0.0.1:3129", "noProxy": "a.example"}}}' >"$t/docker/config.json"
docker rmi -f "e2e/$name:1" >/dev/null
DOCKER_CONFIG=$t/docker ran 0 "$IMGBUILD" build "$t/app" --from imgbuild-test/debian:1 --network none -t "e2e/$name:1" -- true
has "$t/err" "https_proxy is on this machine's loopback"
DOCKER_CONFIG=$t/docker builds 0 'test "$https_proxy" = http://127.0.0.1:3129 && test "$NO_PROXY" = a.example'
printf 'FROM imgbuild-test/debian:1\nRUN test "$HTTPS_PROXY" = http://127.0.0.1:3129\n' >"$t/app/Dockerfile"
docker rmi -f "e2e/$name:1" >/dev/null
DOCKER_CONFIG=$t/docker ran 0 "$IMGBUILD" build "$t/app" -t "e2e/$name:1" --network host
docker image inspect -f '{{json .Config.Env}}' "e2e/$name:1" >"$t/config"
hasnt "$t/config" PROXY
rm "$t/app/Dockerfile"

# An authority that the base does not know, beside those that it does.
server="127.0.0.1:${GIT_HOST#*:}"
connect="echo | openssl s_client -connect $server -verify_return_error >/dev/null"
builds 0 "command -v openssl >/dev/null || exit 0; ! $connect 2>&1"
builds 0 "test \"\$(grep -c BEGIN.CERTIFICATE \$SSL_CERT_FILE)\" -gt 100
tail -n 30 \$SSL_CERT_FILE | grep -qF \"$(sed -n 2p "$t/forge/ca.crt")\"
test \"\$GIT_SSL_CAINFO\$NODE_EXTRA_CA_CERTS\" = \"\$SSL_CERT_FILE\$SSL_CERT_FILE\"
command -v openssl >/dev/null || exit 0; $connect" --ca-cert "$t/forge/ca.crt"
clean_config

# A name, and limits as the engine has them.
builds 0 'grep -q "10.9.8.7.*db.internal" /etc/hosts
grep -qx 104857600 /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || echo no-memory-limit
grep -qx "50000 100000" /sys/fs/cgroup/cpu.max 2>/dev/null || grep -qx 50000 /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || echo no-cpu-limit' \
  --add-host db.internal:10.9.8.7 --memory 100m --cpus 0.5
hasnt "$t/err" no-memory-limit
hasnt "$t/err" no-cpu-limit
nothing_left
