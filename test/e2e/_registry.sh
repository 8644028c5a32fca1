# Read by the e2e scripts that need Debian's docker-registry on loopback.
ends() {
  local status=$?
  for image in $(docker images --format '{{.Repository}}:{{.Tag}}' | grep "^127\.0\.0\.1:[0-9]*/e2e/$name:"); do
    docker rmi -f "$image" >/dev/null 2>&1
  done
  (exit $status)
  at_end
}
trap ends EXIT
registry_up() { # registry_up NAME PORT [YAML]
  cat >"$t/$1.yml" <<YAML
version: 0.1
log: {level: info}
storage: {filesystem: {rootdirectory: $t/registry$([ "$blobs" = together ] || echo "-$1")}}
http:
  addr: 127.0.0.1:$2
$3
YAML
  docker-registry serve "$t/$1.yml" >"$t/$1.log" 2>&1 &
  # It tells when it listens; somebody else at its port would answer too.
  started $! grep -qs 'listening on' "$t/$1.log" || fail "docker-registry does not answer: $(tail -3 "$t/$1.log")"
}
# registries_up together|apart MORE: $plain; $closed, which wants the user me with $password; $secure, with a certificate
# of the authority in $t/ca.crt, and MORE in its settings. They keep their blobs in one place, or each its own.
registries_up() {
  blobs=$1
  plain=127.0.0.1:$(free_port)
  closed=127.0.0.1:$(free_port)
  secure=127.0.0.1:$(free_port)
  password=$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')
  printf '%s' "$password" | htpasswd -niB me >"$t/htpasswd"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$t/ca.key" -out "$t/ca.crt" -days 2 -subj /CN=authority 2>/dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$t/server.key" -out "$t/server.csr" -subj /CN=registry 2>/dev/null
  openssl x509 -req -in "$t/server.csr" -CA "$t/ca.crt" -CAkey "$t/ca.key" -CAcreateserial -days 2 -out "$t/server.crt" \
    -extfile <(printf 'subjectAltName=IP:127.0.0.1') 2>/dev/null
  registry_up plain "${plain#*:}" ''
  registry_up closed "${closed#*:}" "auth: {htpasswd: {realm: here, path: $t/htpasswd}}"
  registry_up secure "${secure#*:}" "  tls: {certificate: $t/server.crt, key: $t/server.key}
$2"
}
