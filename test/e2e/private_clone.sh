# A script clones a private repository through the gateway, as root and as another user, by ssh:// and by scp-like
# address; another user name, another host and a key not granted are refused, and the ledger says so.
. "$(dirname "$0")/_common.sh"
engine_base_debian
ssh_up "$t/ssh"
ssh_repository app
ssh-add -q "$SSH_DIR/other_key" 2>/dev/null
mkdir "$t/app"
grant=(--ssh "$SSH_USER@127.0.0.1:$SSH_PORT" --ssh-key "$SSH_DIR/user_key.pub" --known-host "[127.0.0.1]:$SSH_PORT $HOST_FINGERPRINT")
builds() {
  local want=$1 script=$2
  shift 2
  printf '%s\n' "$script" >"$t/script.sh"
  ran "$want" "$IMGBUILD" build "$t/app" --from imgbuild-test/debian:1 --network host --run "$t/script.sh" -t "e2e/$name:1" \
    "${grant[@]}" --report "$t/report.json" "$@"
}
clone="git clone -q $REPO_URL /srv/app && grep -q private /srv/app/main.c"
builds 0 "$clone"
[ "$(jq -r '.build.ledger | map(select(.granted)) | length' "$t/report.json")" -ge 1 ] || fail "no signature in the ledger"
[ "$(jq -r '.build.ledger[0].key' "$t/report.json")" = "$KEY_FINGERPRINT" ] || fail "the ledger names another key"
layer_paths "e2e/$name:1" >"$t/paths"
has "$t/paths" srv/app/main.c
! grep -qE '(^|/)(\.ssh|known_hosts)' "$t/paths" || fail "something of ssh is in the layer"

builds 0 "ssh-add -l >/tmp/keys; test \$(wc -l </tmp/keys) = 1; rm /tmp/keys; $clone"
mkdir -p "$t/app"
builds 0 "cd /tmp && git clone -q ssh://$SSH_USER@127.0.0.1:$SSH_PORT$SSH_DIR/app.git mine && test -f mine/main.c" --user nobody

# Another user, whom the server would let in with this key.
chmod 711 "$t" "$SSH_DIR"
chmod 644 "$SSH_DIR/authorized_keys"
builds 4 "ssh -p $SSH_PORT nobody@127.0.0.1 true"
[ "$(jq -r '.build.ledger | map(select(.granted | not)) | length' "$t/report.json")" -ge 1 ] || fail "the refusal is not in the ledger"
builds 4 "ssh -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o HostKeyAlias=x -p 1 $SSH_USER@127.0.0.1 true"
# A second sshd with another host key: the client does not care, the gateway does.
sshd_up "$SSH_DIR/second"
builds 4 "/usr/bin/ssh -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -p $SSHD_PORT $SSH_USER@127.0.0.1 true"
[ "$(jq -r '.build.ledger | map(select(.granted)) | length' "$t/report.json")" = 0 ] || fail "a signature for another host"
has "$t/report.json" '"granted": false'
