# A RUN --mount=type=ssh of the engine's own builder clones a private repository through the gateway: the host is proved,
# the ledger says so. Another user and another host in the same build are refused, though the key would be let in.
. "$(dirname "$0")/_common.sh"
engine_base_debian
ssh_up "$t/ssh"
ssh_repository app
ssh-add -q "$SSH_DIR/other_key" 2>/dev/null
cp "$SSH_DIR/known_hosts" "$HOME/.ssh/known_hosts"
mkdir "$t/app"
echo 'int main(void) { return 1; }' >"$t/app/other.c"
printf '*\n!other.c\n' >"$t/app/.dockerignore"
# Unlike any other build: a step that the builder remembers asks nobody.
echo "$RANDOM$RANDOM$$" >"$t/mark"
builds() {
  local want=$1
  shift
  { printf 'FROM imgbuild-test/debian:1\nENV MARK=%s\n' "$(cat "$t/mark")"; cat; } >"$t/app/Dockerfile"
  ran "$want" "$IMGBUILD" build "$t/app" -t "e2e/$name:1" --network host --ssh "$SSH_USER@127.0.0.1:$SSH_PORT" \
    --ssh-key "$SSH_DIR/user_key.pub" --report "$t/report.json" "$@"
}

builds 0 <<END
RUN --mount=type=ssh --mount=type=secret,id=known_hosts \\
    # both agents of two logins, one after the other
    export GIT_SSH_COMMAND='ssh -o UserKnownHostsFile=/run/secrets/known_hosts' && \\
    ssh-add -l >/tmp/keys && test \$(wc -l </tmp/keys) = 1 && rm /tmp/keys && \\
    git clone -q $REPO_URL /srv/app && git -C /srv/app fetch -q && grep -q private /srv/app/main.c
COPY other.c /srv/
END
[ "$(jq -r '.build.ledger | map(select(.granted)) | length' "$t/report.json")" = 2 ] || fail "not two signatures in the ledger"
[ "$(jq -r '.build.ledger[0].key' "$t/report.json")" = "$KEY_FINGERPRINT" ] || fail "the ledger names another key"
[ "$(cat "$t/out")" = "$(docker image inspect -f '{{.Id}}' "e2e/$name:1")" ] || fail "another id than the one printed is named"
[ "$(docker image inspect -f '{{json .Config.Labels}}' "e2e/$name:1")" = null ] || fail "our label is in the image"
docker history --no-trunc --format '{{.CreatedBy}}' "e2e/$name:1" >"$t/history"
has "$t/history" "git clone"
hasnt "$t/history" known_hosts:
docker run --rm --network none "e2e/$name:1" sh -c 'test -s /srv/app/main.c && test -s /srv/other.c && ! test -s /root/.ssh/known_hosts'
has "$t/err" "#"
nothing_left

# Another user, whom the server would let in with this key; another host, whose key is not the granted one's.
chmod 711 "$t" "$SSH_DIR"
chmod 644 "$SSH_DIR/authorized_keys"
builds 4 <<END
RUN --mount=type=ssh ssh -o StrictHostKeyChecking=no -p $SSH_PORT nobody@127.0.0.1 true
END
has "$t/err" "Dockerfile:3: whoever answers is taken for the host"
[ "$(jq -r '.build.ledger | map(select(.granted | not)) | length' "$t/report.json")" -ge 1 ] || fail "the refusal is not in the ledger"
[ "$(jq -r '.build.ledger | map(select(.granted)) | length' "$t/report.json")" = 0 ] || fail "a signature for another user"

sshd_up "$SSH_DIR/second"
builds 4 <<END
RUN --mount=type=ssh --mount=type=secret,id=known_hosts \\
    GIT_SSH_COMMAND='ssh -o UserKnownHostsFile=/run/secrets/known_hosts' git clone -q $REPO_URL /srv/app && \\
    ssh -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -p $SSHD_PORT $SSH_USER@127.0.0.1 true
END
[ "$(jq -r '.build.ledger | map(select(.granted)) | length' "$t/report.json")" = 1 ] || fail "not just the granted host was signed for"
[ "$(jq -r '.build.ledger | map(select(.granted | not)) | length' "$t/report.json")" -ge 1 ] || fail "the second host was not refused"

# Nothing lent: the mount is empty, and it is said which line asks.
printf 'FROM imgbuild-test/debian:1\nRUN --mount=type=ssh test -z "$SSH_AUTH_SOCK" || ! ssh-add -l\n' >"$t/app/Dockerfile"
ran 0 "$IMGBUILD" build "$t/app" -t "e2e/$name:2" --network host
has "$t/err" "Dockerfile:2: asks for the ssh agent, and no host is granted"
docker rmi -f "e2e/$name:2" >/dev/null
nothing_left
