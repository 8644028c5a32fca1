# An engine that does not share our file system: a second dockerd in a mount namespace of its own, in which /tmp,
# /root and /home are empty; reached over TCP on loopback.

# engine_hidden_up [FLAGS]: starts it; its address in HIDDEN_ENGINE. It has imgbuild-test/busybox:1. With TLS flags the
# caller's DOCKER_TLS_VERIFY and DOCKER_CERT_PATH are what it is asked with. HIDDEN_PORT says where, where it is set.
engine_hidden_up() {
  HIDDEN_DIR=$IMGBUILD_TEST_DIR/hidden
  mkdir -p "$HIDDEN_DIR"
  HIDDEN_PORT=${HIDDEN_PORT:-$((41000 + RANDOM % 20000))}
  HIDDEN_ENGINE=tcp://127.0.0.1:$HIDDEN_PORT
  rm -f "$HIDDEN_DIR/dockerd.pid" "$HIDDEN_DIR/exec/containerd/containerd.pid"
  # shellcheck disable=SC2016 # the inner shell expands them
  setsid env -u TMPDIR HOME=/root unshare -m --propagation private sh -c '
    for folder in /tmp /root /home; do mount -t tmpfs tmpfs "$folder" || exit 1; done
    exec dockerd --data-root "$1/data" --exec-root "$1/exec" --pidfile "$1/dockerd.pid" -H "tcp://127.0.0.1:$2" \
      --iptables=false --ip6tables=false --bridge=none "$3" $4' - "$HIDDEN_DIR" "$HIDDEN_PORT" "${1:---tls=false}" "${*:2}" \
    </dev/null >"$HIDDEN_DIR/dockerd.log" 2>&1 &
  disown
  for _ in $(seq 300); do
    if DOCKER_HOST=$HIDDEN_ENGINE docker version >/dev/null 2>&1; then
      DOCKER_HOST=$HIDDEN_ENGINE docker image inspect imgbuild-test/busybox:1 >/dev/null 2>&1 ||
        docker save imgbuild-test/busybox:1 | DOCKER_HOST=$HIDDEN_ENGINE docker load >/dev/null
      return 0
    fi
    sleep 0.2
  done
  tail -n 5 "$HIDDEN_DIR/dockerd.log" >&2
  return 1
}

# Only what we started: the number in our pid file, where it still is a dockerd of ours.
engine_hidden_pid() {
  local pid
  pid=$(cat "$HIDDEN_DIR/dockerd.pid" 2>/dev/null) || return 1
  { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -qF -- "--data-root $HIDDEN_DIR/data" && echo "$pid"
}
engine_hidden_down() {
  local pid
  pid=$(engine_hidden_pid) || return 0
  kill "$pid"
  for _ in $(seq 100); do [ -d "/proc/$pid" ] || return 0; sleep 0.1; done
  kill -9 "$pid" 2>/dev/null || true
}
# The engine is gone, as in a power cut; the containerd that it started goes too.
engine_hidden_kill() {
  local pid other
  pid=$(engine_hidden_pid) || return 0
  other=$(cat "$HIDDEN_DIR/exec/containerd/containerd.pid" 2>/dev/null || true)
  kill -9 "$pid" 2>/dev/null || true
  [ -z "$other" ] || kill -9 "$other" 2>/dev/null || true
}
