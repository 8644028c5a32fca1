# A Docker engine of the tests' own, and the base images that they build on. Read by other scripts (`. _engine.sh`):
#
#   engine_up             starts a private dockerd unless the one it started before still answers; exports DOCKER_HOST
#   engine_down           ends that dockerd, and nothing else
#   engine_base_busybox   imgbuild-test/busybox:1 exists: busybox with its applets
#   engine_base_debian    imgbuild-test/debian:1 exists: Debian 12 with git, openssh-client and the user dev (1000)
#   engine_base NAME DIR [CHANGE...]   imports the folder DIR as image NAME, with Dockerfile instructions
#
# Everything lies under $IMGBUILD_TEST_DIR (default /var/tmp/imgbuild-test) and is kept for the next run, the Debian
# base too. No registry is asked; containers have the host's network or none. Root is needed, and Debian's packages
# docker.io, busybox-static and mmdebstrap. Two scripts that call at once wait for each other.

ENGINE_DIR=${IMGBUILD_TEST_DIR:-/var/tmp/imgbuild-test}
ENGINE_SOCKET=$ENGINE_DIR/docker.sock

engine_say() { echo "engine: $*" >&2; }

# engine_locked COMMAND...: one script at a time. What runs in the background must not keep descriptor 9 open.
engine_locked() {
  mkdir -p "$ENGINE_DIR" || return 1
  ( flock 9 && "$@" ) 9>"$ENGINE_DIR/lock"
}

engine_answers() { docker -H "unix://$ENGINE_SOCKET" version >/dev/null 2>&1; }

# The process number of the dockerd that we started, where it still runs.
engine_pid() {
  local pid
  pid=$(cat "$ENGINE_DIR/dockerd.pid" 2>/dev/null) || return 1
  tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "--data-root $ENGINE_DIR/data" || return 1
  echo "$pid"
}

engine_start() {
  engine_answers && return 0
  command -v dockerd >/dev/null || { engine_say "no dockerd here (Debian: apt-get install docker.io)"; return 1; }
  [ "$(id -u)" = 0 ] || { engine_say "starting dockerd needs root"; return 1; }
  # A machine without an init has no control groups mounted.
  mountpoint -q /sys/fs/cgroup || mount -t cgroup2 none /sys/fs/cgroup || return 1
  # One that hangs or is half dead is ended first; a pid file of a dead one makes dockerd refuse to start.
  engine_stop
  rm -f "$ENGINE_DIR/dockerd.pid" "$ENGINE_DIR/exec/containerd/containerd.pid" "$ENGINE_SOCKET"
  # It outlives the test that starts it: nothing of that test's environment, above all not its TMPDIR.
  mkdir -p "$ENGINE_DIR/tmp" || return 1
  setsid env -i "PATH=$PATH" HOME=/root "TMPDIR=$ENGINE_DIR/tmp" dockerd --data-root "$ENGINE_DIR/data" --exec-root "$ENGINE_DIR/exec" -H "unix://$ENGINE_SOCKET" \
    --pidfile "$ENGINE_DIR/dockerd.pid" --iptables=false --ip6tables=false --bridge=none \
    </dev/null >"$ENGINE_DIR/dockerd.log" 2>&1 9>&- &
  disown
  local i
  for i in $(seq 1 150); do
    engine_answers && return 0
    sleep 0.2
  done
  engine_say "dockerd does not answer; the end of $ENGINE_DIR/dockerd.log:"
  tail -5 "$ENGINE_DIR/dockerd.log" >&2
  return 1
}

engine_stop() {
  local pid i
  pid=$(engine_pid) || return 0
  kill "$pid" 2>/dev/null
  for i in $(seq 1 100); do
    [ -d "/proc/$pid" ] || return 0
    sleep 0.1
  done
  kill -9 "$pid" 2>/dev/null
}

engine_up() {
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
  local archive=$ENGINE_DIR/debian.tar
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
      bookworm "$ENGINE_DIR/part.tar" "${sources[@]}" >"$ENGINE_DIR/mmdebstrap.log" 2>&1 </dev/null 9>&- ||
      { engine_say "mmdebstrap failed:"; tail -5 "$ENGINE_DIR/mmdebstrap.log" >&2; rm -f "$ENGINE_DIR/part.tar"; return 1; }
    mv "$ENGINE_DIR/part.tar" "$archive" || return 1
  fi
  docker import --change 'CMD ["bash"]' --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    - imgbuild-test/debian:1 <"$archive" >/dev/null
}

engine_base_debian() { engine_locked engine_make_debian; }
