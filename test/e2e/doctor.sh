# imgbuild doctor: engine, agent, keys, hosts and logins are tried for real; each one missing is told with its mending.
. "$(dirname "$0")/_common.sh"
ssh_up "$t/ssh"
ssh-add -q "$SSH_DIR/other_key" 2>/dev/null
export DOCKER_CONFIG=$t/docker
mkdir "$t/app" "$DOCKER_CONFIG"
password=$(head -c 18 /dev/urandom | od -An -tx1 | tr -d ' \n')
jq -n --arg auth "$(printf 'me:%s' "$password" | base64 -w0)" '{auths: {"registry.example:5000": {auth: $auth}}}' >"$DOCKER_CONFIG/config.json"
place=$SSH_USER@127.0.0.1:$SSH_PORT
known=(--known-host "$(cat "$SSH_DIR/known_hosts")")
# As a forge does: it greets and runs nothing.
sed -i 's/^/restrict,command="echo welcome, deploy; exit 1" /' "$SSH_DIR/authorized_keys"
# line STATE WHAT WORDS: one line of the answer.
line() { sed 's/  */ /' "$t/out" | grep -F -- "$1 $2: " | grep -qF -- "$3" || { sed 's/^/  /' "$t/out"; fail "no line: $1 $2: $3"; } >&2; }
doctor() { ran "$1" "$IMGBUILD" doctor "$t/app" "${@:2}"; }

doctor 0 --ssh "$place" "${known[@]}" --ssh-key "$SSH_DIR/user_key.pub"
line ok engine "$DOCKER_HOST"
line ok engine '(DOCKER_HOST)'
line ok "known_hosts $place" "ssh-ed25519 $HOST_FINGERPRINT"
line ok "login $place" 'let in: welcome, deploy'
line ok agent "$SSH_AUTH_SOCK: 2 keys"
line ok "key $KEY_FINGERPRINT" granted
line ok "key $(ssh-keygen -lf "$SSH_DIR/other_key.pub" | cut -d' ' -f2)" 'not granted'
line ok registries registry.example:5000
line ok disk free
hasnt "$t/out" "$password"
grep -q "Accepted publickey for $SSH_USER" "$SSH_DIR/sshd.log" || fail "there was no real login"
# A host of which only a fingerprint is known.
doctor 0 --ssh "$place" --known-host "[127.0.0.1]:$SSH_PORT $HOST_FINGERPRINT"
line ok "login $place" 'let in'
doctor 0 --ssh "$place" "${known[@]}" --format json
[ "$(jq -r '.schema, .ok, (.checks | map(.state) | unique[])' "$t/out" | tr '\n' ' ')" = 'imgbuild.doctor/1 true ok ' ] || fail "json"

# The host shows another key than is known; then its key is not known at all.
ssh-keygen -q -t ed25519 -N '' -f "$t/false_key"
doctor 3 --ssh "$place" --known-host "[127.0.0.1]:$SSH_PORT $(cut -d' ' -f1,2 "$t/false_key.pub")"
line problem "login $place" 'Host key verification failed'
doctor 3 --ssh "$place" --known-host "[127.0.0.1]:$SSH_PORT $(ssh-keygen -lf "$t/false_key.pub" | cut -d' ' -f2)"
line problem "login $place" ''
doctor 3 --ssh "$place"
line problem "ssh $place" ''
has "$t/out" 'hint: '
# A key that the host does not let in; a host that is not there.
: >"$SSH_DIR/authorized_keys"
doctor 3 --ssh "$place" "${known[@]}"
line problem "login $place" 'Permission denied'
doctor 3 --ssh "$SSH_USER@127.0.0.1:1" --known-host "[127.0.0.1]:1 $(cut -d' ' -f1,2 "$SSH_DIR/host_key.pub")"
line problem "login $SSH_USER@127.0.0.1:1" refused
# What the context asks for is not granted by that.
printf 'ask_ssh = ["git@github.com"]\nask_secrets = ["npm"]\n' >"$t/app/imgbuild.toml"
doctor 0
line note 'ssh git@github.com' 'imgbuild.toml:1'
line note 'secret npm' 'imgbuild.toml:2'
printf 'ask_ssh = ["a b; c"]\n' >"$t/app/imgbuild.toml"
doctor 3
line problem 'ssh a b; c' 'imgbuild.toml:1'
rm "$t/app/imgbuild.toml"

# No engine; no agent, and one that is needed; an agent without keys; a login's helper that is not there.
doctor 3 --engine "unix://$t/none.sock"
line problem engine none.sock
ran 0 env -u SSH_AUTH_SOCK "$IMGBUILD" doctor "$t/app"
line note agent 'SSH_AUTH_SOCK is not set'
ran 3 env -u SSH_AUTH_SOCK "$IMGBUILD" doctor "$t/app" --ssh "$place" "${known[@]}"
line problem agent 'SSH_AUTH_SOCK is not set'
ran 3 env SSH_AUTH_SOCK="$t/none.sock" "$IMGBUILD" doctor "$t/app" --ssh "$place" "${known[@]}"
line problem agent none.sock
ssh-add -q -D 2>/dev/null
doctor 3 --ssh "$place" "${known[@]}"
line problem agent 'no key in it'
printf '{"credsStore": "nowhere"}' >"$DOCKER_CONFIG/config.json"
doctor 3
line problem registries 'docker-credential-nowhere is not on PATH'
rm "$DOCKER_CONFIG/config.json"
doctor 0
line note registries 'no login'
ran 3 env TMPDIR="$t/none" "$IMGBUILD" doctor "$t/app"
line problem disk 'none'
nothing_left
