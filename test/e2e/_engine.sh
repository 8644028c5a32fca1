# An engine of the tests' own, and the base images that they build on. Read by other scripts (`. _engine.sh`):
#
#   engine_up             starts a private engine unless the one started before still answers; exports DOCKER_HOST.
#                         77, with the reason, where this machine cannot have it; without Debian's Docker: 1
#   engine_down           ends that engine, and nothing else
#   engine_base_busybox   imgbuild-test/busybox:1 exists: busybox with its applets
#   engine_base_debian    imgbuild-test/debian:1 exists: Debian 12 with git, openssh-client and the user dev (1000)
#   engine_base NAME DIR [CHANGE...]   imports the folder DIR as image NAME, with Dockerfile instructions
#
# Which engine: IMGBUILD_TEST_ENGINE is `docker` (Debian's, with the classic store; the default), `podman` (Debian's), or
# `newest` (the newest Docker, with containerd's store). The latter is built from Go modules, which takes minutes and a
# current Go, so it is used where it was built before, and built where IMGBUILD_TEST_NEWEST=1 asks for it.
#
# Everything lies under $IMGBUILD_TEST_DIR (default /var/tmp/imgbuild-test) and is kept for the next run, the Debian
# base and the engine that was built too. No registry is asked; containers have the host's network or none. Root is
# needed, and Debian's packages docker.io, podman, busybox-static and mmdebstrap. Two scripts that call at once wait for
# each other.

TEST_DIR=${IMGBUILD_TEST_DIR:-/var/tmp/imgbuild-test}
ENGINE=${IMGBUILD_TEST_ENGINE:-docker}
case $ENGINE in
docker) ENGINE_DIR=$TEST_DIR ;;
podman | newest) ENGINE_DIR=$TEST_DIR/$ENGINE ;;
*) echo "engine: IMGBUILD_TEST_ENGINE is docker, podman or newest, not $ENGINE" >&2 && exit 1 ;;
esac
ENGINE_SOCKET=$ENGINE_DIR/$([ "$ENGINE" = podman ] && echo podman || echo docker).sock

engine_say() { echo "engine: $*" >&2; }

# engine_locked COMMAND...: one script at a time. What runs in the background must not keep descriptor 9 open.
engine_locked() {
  mkdir -p "$ENGINE_DIR" || return 1
  ( flock 9 && "$@" ) 9>"$ENGINE_DIR/lock"
}

engine_answers() { docker -H "unix://$ENGINE_SOCKET" version >/dev/null 2>&1; }

# engine_pid NAME: the process number of what we started and called so (its pid is in NAME.pid), where it still runs.
engine_pid() {
  local pid
  pid=$(cat "$ENGINE_DIR/$1.pid" 2>/dev/null) || return 1
  { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -qF -- "$ENGINE_DIR/" || return 1
  echo "$pid"
}

# engine_run NAME COMMAND...: in the background, its words in NAME.log. It outlives the test that starts it: nothing of
# that test's environment, above all not its TMPDIR, nor its folder (conmon writes a file `oom` where it stands).
engine_run() {
  local name=$1
  shift
  mkdir -p "$ENGINE_DIR/tmp" || return 1
  setsid env -i -C "$ENGINE_DIR/tmp" "PATH=$PATH" HOME=/root "TMPDIR=$ENGINE_DIR/tmp" "$@" </dev/null >"$ENGINE_DIR/$name.log" 2>&1 9>&- &
  disown
}

engine_start_docker() {
  rm -f "$ENGINE_DIR/exec/containerd/containerd.pid"
  engine_run dockerd dockerd --data-root "$ENGINE_DIR/data" --exec-root "$ENGINE_DIR/exec" -H "unix://$ENGINE_SOCKET" \
    --pidfile "$ENGINE_DIR/dockerd.pid" --iptables=false --ip6tables=false --bridge=none
}

engine_start_newest() {
  local PATH=$ENGINE_DIR/bin:$PATH
  engine_run containerd containerd --root "$ENGINE_DIR/croot" --state "$ENGINE_DIR/cstate" --address "$ENGINE_DIR/containerd.sock"
  echo $! >"$ENGINE_DIR/containerd.pid"
  for _ in $(seq 1 300); do # the socket's file is there a moment before somebody listens
    python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])' "$ENGINE_DIR/containerd.sock" 2>/dev/null && break
    sleep 0.1
  done
  engine_run dockerd "$ENGINE_DIR/bin/dockerd" --data-root "$ENGINE_DIR/data" --exec-root "$ENGINE_DIR/exec" \
    -H "unix://$ENGINE_SOCKET" --pidfile "$ENGINE_DIR/dockerd.pid" --containerd "$ENGINE_DIR/containerd.sock" \
    --bridge=none --iptables=false --ip6tables=false --add-runtime "own=$ENGINE_DIR/bin/runc" --default-runtime own
}

# What every podman here is told: no limits are raised, which a machine without CAP_SYS_RESOURCE refuses; crun wants
# control groups v2. More of [engine] may follow.
engine_podman_conf() {
  cat <<'CONF'
[containers]
default_ulimits = []
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
CONF
}
engine_start_podman() {
  # Who reads these two files (podman_settings) has the same images.
  { engine_podman_conf && printf 'tmp_dir = "%s"\n' "$ENGINE_DIR/libpod"; } >"$ENGINE_DIR/containers.conf"
  printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\nrunroot = "%s"\n' "$ENGINE_DIR/root" "$ENGINE_DIR/run" >"$ENGINE_DIR/storage.conf"
  engine_run podman env "CONTAINERS_CONF=$ENGINE_DIR/containers.conf" "CONTAINERS_STORAGE_CONF=$ENGINE_DIR/storage.conf" \
    podman system service --time 0 "unix://$ENGINE_SOCKET"
  echo $! >"$ENGINE_DIR/podman.pid"
}

# What this machine lacks for the engine; empty: nothing.
engine_lacks() {
  if [ "$(id -u)" != 0 ]; then
    echo 'starting it needs root'
  elif [ "$ENGINE" = newest ]; then
    bash "$(dirname "${BASH_SOURCE[0]}")/_engine_newest.sh" "$ENGINE_DIR/bin"
  elif [ "$ENGINE" = docker ]; then
    command -v dockerd >/dev/null || echo 'no dockerd here (Debian: apt-get install docker.io)'
  else
    command -v podman >/dev/null || echo 'no podman here (Debian: apt-get install podman runc)'
  fi
}

engine_start() {
  engine_answers && return 0
  # A machine without an init has no control groups mounted.
  mountpoint -q /sys/fs/cgroup || mount -t cgroup2 none /sys/fs/cgroup || return 1
  # One that hangs or is half dead is ended first; a pid file of a dead one makes dockerd refuse to start.
  engine_stop
  rm -f "$ENGINE_DIR"/{dockerd,containerd,podman}.pid "$ENGINE_SOCKET" "$ENGINE_DIR/containerd.sock"
  "engine_start_$ENGINE" || return 1
  local i
  for i in $(seq 1 150); do
    engine_answers && return 0
    sleep 0.2
  done
  engine_say "$ENGINE does not answer; the end of its log:"
  tail -n 5 "$ENGINE_DIR"/{dockerd,containerd,podman}.log 2>/dev/null >&2
  return 1
}

engine_stop() {
  local name pid i
  for name in dockerd podman containerd; do
    pid=$(engine_pid $name) || continue
    kill "$pid" 2>/dev/null
    for i in $(seq 1 100); do
      [ -d "/proc/$pid" ] || continue 2
      sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null
  done
}

engine_up() {
  local ENGINE_LACKS
  ENGINE_LACKS=$(engine_locked engine_lacks) || return 1
  if [ -n "$ENGINE_LACKS" ]; then
    echo "cannot be tested here: $ENGINE: $ENGINE_LACKS" >&2
    [ "$ENGINE" = docker ] && return 1 || return 77
  fi
  engine_locked engine_start || return 1
  export DOCKER_HOST=unix://$ENGINE_SOCKET
  unset DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_CERT_PATH DOCKER_API_VERSION
}

engine_down() { engine_locked engine_stop; }

engine_has() { docker image inspect "$1" >/dev/null 2>&1; }

# engine_base NAME DIR [CHANGE...]: engine_base me/base:1 tree 'ENV A=b' 'USER dev'
engine_base() {
  local name=$1 tree=$2 change changes=()
  shift 2
  for change in "$@"; do changes+=(--change "$change"); done
  tar -C "$tree" --numeric-owner -c . | docker import "${changes[@]}" - "$name" >/dev/null
}

# engine_busybox_tree DIR: a root file system of busybox alone.
engine_busybox_tree() {
  local applet
  [ -x /bin/busybox ] || { engine_say "no /bin/busybox here (Debian: apt-get install busybox-static)"; return 1; }
  mkdir -p "$1/bin" "$1/etc" "$1/root" "$1/home/dev" "$1/usr" "$1/var" && mkdir -p -m 1777 "$1/tmp" || return 1
  cp /bin/busybox "$1/bin/busybox" || return 1
  for applet in $(/bin/busybox --list); do
    [ "$applet" = busybox ] || ln -sf busybox "$1/bin/$applet"
  done
  printf 'root:x:0:0:root:/root:/bin/sh\ndev:x:1000:1000:dev:/home/dev:/bin/sh\n' >"$1/etc/passwd"
  printf 'root:x:0:\ndev:x:1000:\n' >"$1/etc/group"
  chown -R 1000:1000 "$1/home/dev"
}

engine_make_busybox() {
  engine_has imgbuild-test/busybox:1 && return 0
  local tree status
  tree=$(mktemp -d) || return 1
  engine_busybox_tree "$tree" && engine_base imgbuild-test/busybox:1 "$tree" 'CMD ["sh"]' 'ENV PATH=/bin'
  status=$?
  rm -rf "$tree"
  return $status
}

engine_base_busybox() { engine_locked engine_make_busybox; }

engine_make_debian() {
  engine_has imgbuild-test/debian:1 && return 0
  local archive=$TEST_DIR/debian.tar
  if [ ! -s "$archive" ]; then
    command -v mmdebstrap >/dev/null || { engine_say "no mmdebstrap here (Debian: apt-get install mmdebstrap)"; return 1; }
    # Packages come from where this machine has its own.
    local sources=() file
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources; do
      [ -s "$file" ] && sources+=("$file")
    done
    mmdebstrap --quiet --variant=essential --include=git,openssh-client,ca-certificates \
      --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='APT::Install-Recommends "false"' \
      --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
      --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
      --customize-hook='chroot "$1" useradd -m -u 1000 -s /bin/sh dev' \
      bookworm "$TEST_DIR/part.tar" "${sources[@]}" >"$TEST_DIR/mmdebstrap.log" 2>&1 </dev/null 9>&- ||
      { engine_say "mmdebstrap failed:"; tail -5 "$TEST_DIR/mmdebstrap.log" >&2; rm -f "$TEST_DIR/part.tar"; return 1; }
    mv "$TEST_DIR/part.tar" "$archive" || return 1
  fi
  docker import --change 'CMD ["bash"]' --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    - imgbuild-test/debian:1 <"$archive" >/dev/null
}

engine_base_debian() { engine_locked engine_make_debian; }
