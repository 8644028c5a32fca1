# --ssh-key-file env:VARIABLE and -: a machine without an agent logs in with a key that is in no file; the command does
# not inherit the variable. A key with a passphrase is one line.
. "$(dirname "$0")/_common.sh"
. "$SOURCE/test/e2e/_ssh.sh"
ssh_up "$t/ssh"
unset SSH_AUTH_SOCK
cp "$SSH_DIR/known_hosts" "$HOME/.ssh/known_hosts"
login=(ssh -F none -o UserKnownHostsFile="$SSH_DIR/known_hosts" -o StrictHostKeyChecking=yes -p "$SSH_PORT" "$SSH_USER@127.0.0.1" 'echo in as "$USER"')
agent=("$IMGBUILD" agent --ssh "$SSH_USER@127.0.0.1:$SSH_PORT")
key=$SSH_DIR/user_key
DEPLOY_KEY=$(cat "$key")
DEPLOY_KEY_64=$(base64 <"$key")
DEPLOY_KEY_DOS=$(sed 's/$/\r/' "$key")
export DEPLOY_KEY DEPLOY_KEY_64 DEPLOY_KEY_DOS
for variable in DEPLOY_KEY DEPLOY_KEY_64 DEPLOY_KEY_DOS; do
  expect 0 "${agent[@]}" --ssh-key-file "env:$variable" -- "${login[@]}"
  has "$t/out" "in as $SSH_USER"
  has "$t/err" "$KEY_FINGERPRINT"
done
expect 0 env IMGBUILD_SSH_KEY_FILES=env:DEPLOY_KEY "${agent[@]}" -- "${login[@]}"
expect 0 "${agent[@]}" --ssh-key-file env:DEPLOY_KEY -- sh -c 'test -z "$DEPLOY_KEY" && test -n "$DEPLOY_KEY_64"'
expect 0 "${agent[@]}" --ssh-key-file - -- "${login[@]}" <"$key"
has "$t/out" "in as $SSH_USER"
expect 0 "${agent[@]}" --ssh-key-file env:DEPLOY_KEY --ssh-key "$KEY_FINGERPRINT" -- true

wrong() { # STATUS WORD FLAG...
  local status=$1 word=$2
  shift 2
  expect "$status" "${agent[@]}" "$@" -- touch ran
  one_line "$word"
}
wrong 2 '$IS_NOT_SET is not set' --ssh-key-file env:IS_NOT_SET
OTHER=nothing wrong 3 '$OTHER: not a private key' --ssh-key-file env:OTHER
wrong 3 'standard input: not a private key' --ssh-key-file - </dev/null
for format in OpenSSH PEM; do
  rm -f locked locked.pub
  ssh-keygen -q -t rsa -b 2048 -N 'a passphrase' -f locked $([ $format = OpenSSH ] || echo -m PEM)
  LOCKED=$(cat locked) wrong 3 '$LOCKED: the key has a passphrase' --ssh-key-file env:LOCKED
  has "$t/err" 'deploy key'
done
mkdir app
printf 'true\n' >build.sh
expect 2 "$IMGBUILD" build app --from base:1 --run - -t app:1 --dry-run --ssh git@github.com --ssh-key-file - <build.sh
one_line 'both the script and the key'
[ ! -e ran ] || fail "the command ran all the same"
