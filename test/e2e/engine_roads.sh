# Every road to an engine: ssh:// to a loopback sshd, docker contexts, TLS with certificates of its own, and podman without
# a service, which is started for the length of a run.
. "$(dirname "$0")/_common.sh"
mkdir "$t/app"
secret="r$(head -c 15 /dev/urandom | od -An -tx1 | tr -d ' \n')Q"
printf '%s' "$secret" >"$t/secret"
printf 'mkdir -p /opt; test -s "$BUILD_SECRETS/s"; echo made >/opt/made\n' >"$t/script.sh"
builds() { # builds STATUS [FLAGS...]
  local want=$1
  shift
  ran "$want" "$IMGBUILD" build "$t/app" --from imgbuild-test/busybox:1 --network host --run "$t/script.sh" -t "e2e/$name:1" --secret "id=s,src=$t/secret" "$@"
}
client=$(command -v docker)
there() { # the image is there; it goes again
  "$client" image inspect "e2e/$name:1" >/dev/null || fail 'the image is not there'
  "$client" rmi "e2e/$name:1" >/dev/null
}
direct=$DOCKER_HOST
socket=${DOCKER_HOST#unix://}

# ssh://: what ~/.ssh/config says of the host counts, nothing is asked, and one login does for all requests.
ssh_up "$t/ssh"
unset SSH_AUTH_SOCK
cat >"$t/ssh_config" <<CONFIG
Host engine
  HostName 127.0.0.1
  Port $SSH_PORT
  User $SSH_USER
  IdentityFile $SSH_DIR/user_key
  UserKnownHostsFile $t/known_hosts
  StrictHostKeyChecking yes
CONFIG
# ssh looks for its settings in the home of its user, whatever HOME says: a first ssh on PATH hands it ours.
mkdir "$t/bin"
printf '#!/bin/sh\nexec %s -F %s "$@"\n' "$(command -v ssh)" "$t/ssh_config" >"$t/bin/ssh"
chmod +x "$t/bin/ssh"
export PATH=$t/bin:$PATH
unset DOCKER_HOST
: >"$t/known_hosts"
builds 3 --engine "ssh://engine$socket"
has "$t/err" 'engine: ssh: '
has "$t/err" 'Host key verification failed'
cp "$SSH_DIR/known_hosts" "$t/known_hosts"
: >"$SSH_DIR/sshd.log"
builds 0 --engine "ssh://engine$socket"
[ "$(grep -c 'Accepted publickey' "$SSH_DIR/sshd.log")" = 1 ] || fail 'not one login'
DOCKER_HOST=$direct there
DOCKER_HOST=ssh://$SSH_USER@engine:$SSH_PORT$socket builds 0
DOCKER_HOST=$direct there
ran 0 "$IMGBUILD" audit --engine "ssh://engine$socket" docker:imgbuild-test/busybox:1
ran 3 "$IMGBUILD" audit --engine "ssh://engine/no-such.sock" imgbuild-test/busybox:1
ran 2 "$IMGBUILD" audit --engine 'ssh://-oProxyCommand=x/' imgbuild-test/busybox:1
ran 2 "$IMGBUILD" audit --engine "ssh://me:word@engine" imgbuild-test/busybox:1
hasnt "$t/err" me:word
# Interrupted, and killed: the road ends, and what is there with it.
no_builder() { [ -z "$(DOCKER_HOST=$direct docker ps -aq --filter label=imgbuild.build)" ]; }
for signal in INT KILL; do
  printf 'echo started\nsleep 60\n' >"$t/long.sh"
  env --default-signal=INT "$IMGBUILD" build "$t/app" --engine "ssh://engine$socket" --from imgbuild-test/busybox:1 --run "$t/long.sh" -t "e2e/$name:1" >"$t/out" 2>"$t/err" &
  pid=$!
  until_said started
  kill -$signal $pid
  wait $pid 2>/dev/null || true
  eventually no_builder || fail "a builder is left after SIG$signal"
  (export DOCKER_HOST=$direct; no_image "e2e/$name:1"; nothing_left)
done
no_ssh() { ! pgrep -f "$t/ssh_config .*ControlPath=" >/dev/null; }
eventually no_ssh || fail 'an ssh is left'

# A docker context says the same.
docker context create road --docker "host=ssh://engine$socket" >/dev/null
builds 0 --engine road
DOCKER_HOST=$direct there
DOCKER_CONTEXT=road builds 0
DOCKER_HOST=$direct there

# TLS, the client's certificate asked for.
tls=$IMGBUILD_TEST_DIR/tls-$$ # the hidden engine sees no /tmp
roads_end() { local status=$?; rm -rf "$tls"; (exit $status); at_end; }
trap roads_end EXIT
mkdir "$tls"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$tls/ca-key.pem" -out "$tls/ca.pem" -days 2 -subj /CN=authority 2>/dev/null
for role in server client; do
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$tls/$role-key.pem" -out "$tls/$role.csr" -subj /CN=$role 2>/dev/null
  openssl x509 -req -in "$tls/$role.csr" -CA "$tls/ca.pem" -CAkey "$tls/ca-key.pem" -CAcreateserial -days 2 -out "$tls/$role.pem" \
    -extfile <(printf 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=%sAuth\n' $role) 2>/dev/null
done
mkdir "$tls/mine" "$tls/bare"
cp "$tls/ca.pem" "$tls/mine/ca.pem"
cp "$tls/client.pem" "$tls/mine/cert.pem"
cp "$tls/client-key.pem" "$tls/mine/key.pem"
cp "$tls/ca.pem" "$tls/bare/"
export DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=$tls/mine
engine_hidden_up --tlsverify "--tlscacert=$tls/ca.pem" "--tlscert=$tls/server.pem" "--tlskey=$tls/server-key.pem"
export DOCKER_HOST=$HIDDEN_ENGINE
builds 0
there
DOCKER_CERT_PATH=$tls/bare builds 3
has "$t/err" 'engine: '
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -out "$tls/bare/ca.pem" -days 2 -subj /CN=other 2>/dev/null
DOCKER_CERT_PATH=$tls/bare builds 3
has "$t/err" certificate
DOCKER_TLS_VERIFY='' builds 3
unset DOCKER_HOST DOCKER_TLS_VERIFY DOCKER_CERT_PATH
docker context create secure --docker "host=$HIDDEN_ENGINE,ca=$tls/mine/ca.pem,cert=$tls/mine/cert.pem,key=$tls/mine/key.pem" >/dev/null
builds 0 --engine secure
docker context use secure >/dev/null
builds 0
docker context use default >/dev/null

# No service at all: podman is started for the run, and ends with it, by whatever way that ends.
IMGBUILD_TEST_ENGINE=podman bash -c '. "$1/test/e2e/_engine.sh"; engine_up && engine_base_busybox' - "$SOURCE"
export CONTAINERS_CONF=$IMGBUILD_TEST_DIR/podman/containers.conf CONTAINERS_STORAGE_CONF=$IMGBUILD_TEST_DIR/podman/storage.conf
# ssh:// to a host that has podman and no docker, to one whose podman does not serve, and to one that has neither.
mkdir "$t/only"
ln -s /bin/sh "$t/only/sh"
ln -s "$(command -v podman)" "$t/only/podman"
sshd_up "$t/ssh2" "SetEnv PATH=$t/only"
sed "s/^Host engine/Host other/; s/Port .*/Port $SSHD_PORT/" "$t/ssh_config" >"$t/ssh_config2"
cat "$t/ssh_config2" >>"$t/ssh_config"
printf '[127.0.0.1]:%s %s\n' "$SSHD_PORT" "$(cut -d' ' -f1,2 "$t/ssh2/host_key.pub")" >>"$t/known_hosts"
builds 0 --engine "ssh://other$IMGBUILD_TEST_DIR/podman/podman.sock"
ran 0 "$IMGBUILD" audit --engine "ssh://other$IMGBUILD_TEST_DIR/podman/podman.sock" "e2e/$name:1"
podman rmi "e2e/$name:1" >/dev/null
builds 3 --engine "ssh://other$t/none.sock"
has "$t/err" 'unable to connect to Podman socket'
has "$t/err" 'hint: `systemctl --user enable --now podman.socket` there'
rm "$t/only/podman"
builds 3 --engine ssh://other
has "$t/err" 'there is neither docker nor podman on that host'
has "$t/err" 'hint: install one there'
builders() { podman ps -aq --filter label=imgbuild.build | sort; }
before=$(builders)
same_builders() { [ "$(builders)" = "$before" ]; }
of_ours() { pgrep -f "podman system service --time 0 unix://$TMPDIR/" || true; }
none_of_ours() { [ -z "$(of_ours)" ]; }
gone() { eventually none_of_ours || fail "podman's service is left"; }
builds 0 --engine podman
ran 0 "$IMGBUILD" audit "podman:e2e/$name:1"
podman rmi -f "e2e/$name:1" >/dev/null
[ -z "$(of_ours)" ] || fail "podman's service is left"
for signal in INT KILL; do
  env --default-signal=INT "$IMGBUILD" build "$t/app" --engine podman --from imgbuild-test/busybox:1 --run "$t/long.sh" -t "e2e/$name:1" >"$t/out" 2>"$t/err" &
  pid=$!
  until_said started
  kill -$signal $pid
  wait $pid || true
  gone
  eventually same_builders || fail "a container is left after SIG$signal"
done
ran 0 "$IMGBUILD" gc --engine podman
# It is what is used where nobody listens at docker's socket.
if [ ! -e /var/run/docker.sock ]; then
  builds 0
  podman rmi -f "e2e/$name:1" >/dev/null
  gone
fi
CONTAINERS_STORAGE_CONF=/no/such/file builds 3 --engine podman
has "$t/err" "podman's service does not start"
