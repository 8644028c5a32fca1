# --ssh NAME is what the user's ssh makes of it (HostName, Port, User, HostKeyAlias, UserKnownHostsFile); what is said
# wins over what is configured. Great forges need no known_hosts.
. "$(dirname "$0")/_common.sh"
. "$SOURCE/test/e2e/_ssh.sh"
ssh_up "$t/ssh"
login=(ssh -F none -o UserKnownHostsFile="$SSH_DIR/known_hosts" -o StrictHostKeyChecking=yes -p "$SSH_PORT" "$SSH_USER@127.0.0.1" 'echo in')
host_key=$(cut -d' ' -f1,2 "$SSH_DIR/host_key.pub")
cat >"$HOME/.ssh/config" <<CONFIG
Host work
  HostName 127.0.0.1
  Port $SSH_PORT
  UserKnownHostsFile $HOME/work_hosts
Host alias
  HostName 127.0.0.1
  Port $SSH_PORT
  HostKeyAlias forge.internal
Host other
  HostName 127.0.0.1
  Port $SSH_PORT
  User somebody
Host far
  HostName 127.0.0.1
  Port $SSH_PORT
  ProxyJump bastion.example
CONFIG
printf '[127.0.0.1]:%s %s\n' "$SSH_PORT" "$host_key" >"$HOME/work_hosts"
agent() { expect "$1" "$IMGBUILD" agent "${@:2}"; }
agent 0 --ssh "$SSH_USER@work" -- "${login[@]}"
has "$t/out" in
has "$t/err" "$SSH_USER@127.0.0.1"
agent 2 --ssh work -- touch ran # whoever runs this may have no account there
one_line 'no user'
agent 3 --ssh "$SSH_USER@alias" -- touch ran
one_line "127.0.0.1:$SSH_PORT: no host key is known of it"
printf 'forge.internal %s\n' "$host_key" >"$HOME/.ssh/known_hosts"
agent 0 --ssh "$SSH_USER@alias" -- "${login[@]}"
cp "$SSH_DIR/known_hosts" "$HOME/.ssh/known_hosts"
agent 255 --ssh other -- "${login[@]}" # granted to somebody, who is not who logs in
has "$t/err" "user $SSH_USER is not granted"
agent 0 --ssh "$SSH_USER@other" -- "${login[@]}"
agent 0 --ssh "$SSH_USER@far" -- "${login[@]}"
has "$t/err" "by a proxy or a jump"
agent 2 --ssh '-oProxyCommand=touch ran@x' -- true
printf 'Host *\n  Port many\n' >"$HOME/.ssh/config"
agent 3 --ssh "$SSH_USER@work" -- touch ran
one_line 'ssh -G work'
rm "$HOME/.ssh/config" "$HOME/.ssh/known_hosts"
[ ! -e ran ] || fail "a command ran all the same"

for forge in github.com ssh.github.com:443 gitlab.com bitbucket.org codeberg.org git.sr.ht ssh.dev.azure.com; do
  agent 0 --ssh "$forge" -- true
done
# What the user's file says of a forge wins: this one has another key.
printf 'github.com %s\n' "$host_key" >"$HOME/.ssh/known_hosts"
agent 0 --ssh github.com -- true
