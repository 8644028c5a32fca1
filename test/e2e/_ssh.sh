# A private git repository behind a real sshd on loopback, and a throw-away key in a real ssh-agent.
# Read by the e2e scripts and by test/demo, behind test/_common.sh. Everything lies in $SSH_DIR; the servers are jobs of
# the shell that starts them, whose trap ends them (end_jobs).

# sshd_up DIR [LINE...]: a server with a host key of its own, DIR/host_key, and these lines first in its settings; its
# port in SSHD_PORT, its words in DIR/sshd.log. Who is let in: $SSH_DIR/authorized_keys.
sshd_up() {
  local dir=$1 try
  shift
  mkdir -p "$dir"
  ssh-keygen -q -t ed25519 -N '' -f "$dir/host_key" -C host
  [ "$(id -u)" != 0 ] || mkdir -p /run/sshd
  for try in 1 2 3 4 5; do # another may have taken the port meanwhile
    SSHD_PORT=$(free_port)
    { [ $# = 0 ] || printf '%s\n' "$@"; cat <<CONFIG; } >"$dir/sshd_config"
ListenAddress 127.0.0.1
Port $SSHD_PORT
HostKey $dir/host_key
AuthorizedKeysFile $SSH_DIR/authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PidFile none
LogLevel VERBOSE
CONFIG
    rm -f "$dir/sshd.log"
    "$(command -v sshd || echo /usr/sbin/sshd)" -D -f "$dir/sshd_config" -E "$dir/sshd.log" </dev/null >/dev/null 2>&1 &
    started $! grep -qs '^Server listening' "$dir/sshd.log" && return
  done
  cat "$dir/sshd.log" >&2
  return 1
}

# ssh_up DIR: starts sshd and ssh-agent; sets SSH_PORT, SSH_USER, SSH_AUTH_SOCK, KEY_FINGERPRINT, HOST_FINGERPRINT.
ssh_up() {
  SSH_DIR=$1
  mkdir -p "$SSH_DIR"
  chmod 700 "$SSH_DIR"
  ssh-keygen -q -t ed25519 -N '' -f "$SSH_DIR/user_key" -C deploy@laptop
  ssh-keygen -q -t ed25519 -N '' -f "$SSH_DIR/other_key" -C private@laptop
  cat "$SSH_DIR/user_key.pub" "$SSH_DIR/other_key.pub" >"$SSH_DIR/authorized_keys"
  chmod 600 "$SSH_DIR/authorized_keys"
  SSH_USER=$(id -un)
  sshd_up "$SSH_DIR" || return 1
  SSH_PORT=$SSHD_PORT
  unset SSH_AUTH_SOCK
  SSH_AUTH_SOCK=$SSH_DIR/agent.sock
  ssh-agent -D -a "$SSH_AUTH_SOCK" </dev/null >/dev/null 2>&1 &
  export SSH_AUTH_SOCK
  # The socket's file is there a moment before the agent listens on it.
  started $! ssh-add -q "$SSH_DIR/user_key" 2>"$SSH_DIR/ssh-add.err" || { cat "$SSH_DIR/ssh-add.err" >&2; return 1; }
  KEY_FINGERPRINT=$(ssh-keygen -lf "$SSH_DIR/user_key.pub" | cut -d' ' -f2)
  HOST_FINGERPRINT=$(ssh-keygen -lf "$SSH_DIR/host_key.pub" | cut -d' ' -f2)
  KNOWN_HOST="127.0.0.1 $HOST_FINGERPRINT"
  printf '[127.0.0.1]:%s %s\n' "$SSH_PORT" "$(cut -d' ' -f1,2 "$SSH_DIR/host_key.pub")" >"$SSH_DIR/known_hosts"
}

# ssh_repository NAME: a bare repository with one commit, at $SSH_DIR/NAME.git; its URL for a builder in REPO_URL.
ssh_repository() {
  local name=$1 work
  work=$(mktemp -d)
  git init -q --bare -b main "$SSH_DIR/$name.git"
  git init -q -b main "$work"
  printf 'int main(void) { return 42; } /* the private part */\n' >"$work/main.c"
  printf 'all:\n\tcc -o app main.c\n' >"$work/Makefile"
  git -C "$work" add .
  git -C "$work" -c user.name=dev -c user.email=dev@example.org commit -q -m 'private code'
  git -C "$work" push -q "$SSH_DIR/$name.git" main
  rm -rf "$work"
  REPO_URL=ssh://$SSH_USER@127.0.0.1:$SSH_PORT$SSH_DIR/$name.git
}
