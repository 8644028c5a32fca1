# An engine that does not share our file system: a second dockerd in a mount namespace of its own, in which /tmp,
# /root and /home are empty; reached over TCP on loopback. It is this script's alone, and at_end ends it.

# engine_hidden_up [FLAGS]: starts it; its address in HIDDEN_ENGINE. It has imgbuild-test/busybox:1. With TLS flags the
# caller's DOCKER_TLS_VERIFY and DOCKER_CERT_PATH are what it is asked with. HIDDEN_PORT says where, where it is set,
# HIDDEN_DIR what folder is its own.
engine_hidden_up() {
  local old port try
  for old in "$IMGBUILD_TEST_DIR"/hidden-*; do # of scripts that were killed
    [ -e "$old" ] && [ ! -d "/proc/${old##*-}" ] && HIDDEN_DIR=$old engine_hidden_down
  done
  HIDDEN_DIR=${HIDDEN_DIR:-$IMGBUILD_TEST_DIR/hidden-$$}
  mkdir -p "$HIDDEN_DIR"
  rm -f "$HIDDEN_DIR/dockerd.pid" "$HIDDEN_DIR/exec/containerd/containerd.pid" # of one that was killed
  for try in 1 2 3; do # another may have taken the port meanwhile
    port=${HIDDEN_PORT:-$(free_port)}
    HIDDEN_ENGINE=tcp://127.0.0.1:$port
    # shellcheck disable=SC2016 # the inner shell expands them
    setsid env -u TMPDIR HOME=/root unshare -m --propagation private sh -c '
      for folder in /tmp /root /home; do mount -t tmpfs tmpfs "$folder" || exit 1; done
      exec dockerd --data-root "$1/data" --exec-root "$1/exec" --pidfile "$1/dockerd.pid" -H "tcp://127.0.0.1:$2" \
        --iptables=false --ip6tables=false --bridge=none "$3" $4' - "$HIDDEN_DIR" "$port" "${1:---tls=false}" "${*:2}" \
      </dev/null >"$HIDDEN_DIR/dockerd.log" 2>&1 &
    HIDDEN_JOB=$!
    started $HIDDEN_JOB engine_hidden_answers && break
    [ $try != 3 ] || { tail -n 5 "$HIDDEN_DIR/dockerd.log" >&2; return 1; }
  done
  DOCKER_HOST=$HIDDEN_ENGINE docker image inspect imgbuild-test/busybox:1 >/dev/null 2>&1 ||
    env -u DOCKER_TLS_VERIFY -u DOCKER_CERT_PATH docker -H "unix://$ENGINE_SOCKET" save imgbuild-test/busybox:1 | DOCKER_HOST=$HIDDEN_ENGINE docker load >/dev/null
}
# It, and no other's at its port.
engine_hidden_answers() {
  [ "$(DOCKER_HOST=$HIDDEN_ENGINE docker info -f '{{.DockerRootDir}}' 2>/dev/null)" = "$HIDDEN_DIR/data" ]
}

# The processes of it, of its containerd, and of the shims that outlive both with what runs in their containers: the
# folder stands in the command line of all but the last, which descend from the shims.
engine_hidden_pids() {
  local file pid all=' ' before=''
  for file in /proc/[0-9]*/cmdline; do
    pid=${file//[^0-9]/}
    [ "$pid" != $$ ] && [ "$pid" != "$BASHPID" ] || continue
    ! { tr '\0' ' ' <"$file"; } 2>/dev/null | grep -qF -- " $HIDDEN_DIR/" || all+="$pid "
  done
  while [ "$before" != "$all" ]; do
    before=$all
    # shellcheck disable=SC2086 # words
    for pid in $(ps -o pid= --ppid "$(echo $all | tr ' ' ,)" 2>/dev/null); do
      [[ $all == *" $pid "* ]] || all+="$pid "
    done
  done
  echo "$all"
}
# As in a power cut: all of it at once.
engine_hidden_kill() {
  local pids
  pids=$(engine_hidden_pids)
  # shellcheck disable=SC2086 # words
  [ -z "${pids// /}" ] || kill -9 $pids 2>/dev/null || true
  { wait "${HIDDEN_JOB:-}"; } 2>/dev/null || true # the shell need not tell of it
}
engine_hidden_down() {
  [ -n "${HIDDEN_DIR:-}" ] || return 0
  local pid
  pid=$(cat "$HIDDEN_DIR/dockerd.pid" 2>/dev/null) || pid=
  if [ -n "$pid" ] && { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -qF -- " $HIDDEN_DIR/"; then
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 200); do [ -d "/proc/$pid" ] || break; sleep 0.1; done # it gives its containers ten seconds
  fi
  engine_hidden_kill
  for _ in $(seq 50); do # a disk of its own may be mounted there
    rm -rf "$HIDDEN_DIR" 2>/dev/null || true
    [ -z "$(ls -A "$HIDDEN_DIR" 2>/dev/null)" ] && break
    sleep 0.1
  done
  HIDDEN_DIR=
}
