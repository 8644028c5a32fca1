# A private git repository behind a real sshd on loopback, and a throw-away key in a real ssh-agent.
# Read by the e2e scripts and by test/demo. Everything lies in $SSH_DIR and ends with ssh_down.

# ssh_up DIR: starts sshd and ssh-agent; sets SSH_PORT, SSH_USER, SSH_AUTH_SOCK, KEY_FINGERPRINT, HOST_FINGERPRINT.
ssh_up() {
  SSH_DIR=$1
  mkdir -p "$SSH_DIR"
  chmod 700 "$SSH_DIR"
  ssh-keygen -q -t ed25519 -N '' -f "$SSH_DIR/host_key" -C host
  ssh-keygen -q -t ed25519 -N '' -f "$SSH_DIR/user_key" -C deploy@laptop
  ssh-keygen -q -t ed25519 -N '' -f "$SSH_DIR/other_key" -C private@laptop
  cat "$SSH_DIR/user_key.pub" "$SSH_DIR/other_key.pub" >"$SSH_DIR/authorized_keys"
  chmod 600 "$SSH_DIR/authorized_keys"
  SSH_USER=$(id -un)
  [ "$(id -u)" != 0 ] || mkdir -p /run/sshd
  local try
  for try in 1 2 3 4 5; do
    SSH_PORT=$((20000 + RANDOM % 20000))
    cat >"$SSH_DIR/sshd_config" <<CONFIG
ListenAddress 127.0.0.1
Port $SSH_PORT
HostKey $SSH_DIR/host_key
AuthorizedKeysFile $SSH_DIR/authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PidFile none
LogLevel VERBOSE
CONFIG
    "$(command -v sshd || echo /usr/sbin/sshd)" -D -f "$SSH_DIR/sshd_config" -E "$SSH_DIR/sshd.log" >/dev/null 2>&1 &
    SSHD_PID=$!
    for _ in $(seq 50); do
      if (exec 3<>"/dev/tcp/127.0.0.1/$SSH_PORT") 2>/dev/null; then break 2; fi
      kill -0 "$SSHD_PID" 2>/dev/null || continue 2
      sleep 0.1
    done
  done
  kill -0 "$SSHD_PID" 2>/dev/null || { cat "$SSH_DIR/sshd.log" >&2; return 1; }
  unset SSH_AUTH_SOCK
  SSH_AUTH_SOCK=$SSH_DIR/agent.sock
  ssh-agent -D -a "$SSH_AUTH_SOCK" >/dev/null 2>&1 &
  AGENT_PID=$!
  export SSH_AUTH_SOCK
  for _ in $(seq 50); do # the socket's file is there a moment before the agent listens on it
    ssh-add -q "$SSH_DIR/user_key" 2>"$SSH_DIR/ssh-add.err" && break
    sleep 0.1
  done
  ssh-add -l >/dev/null || { cat "$SSH_DIR/ssh-add.err" >&2; ssh_down; return 1; }
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

ssh_down() {
  [ -z "${SSHD_PID:-}" ] || kill "$SSHD_PID" 2>/dev/null || true
  [ -z "${AGENT_PID:-}" ] || kill "$AGENT_PID" 2>/dev/null || true
}
