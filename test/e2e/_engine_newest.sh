# _engine_newest.sh BIN: the newest Docker's programs in BIN, from Go modules. Prints what this machine lacks for that;
# nothing where they are there; a build that fails is a failure. They are built only where IMGBUILD_TEST_NEWEST=1: it takes minutes (two cores: six).
bin=$1
state='dockerd v2.0.0-beta.24, containerd v2.2.9, runc v1.4.3'
[ "$(cat "$bin/state" 2>/dev/null)" != "$state" ] || exit 0
if [ "${IMGBUILD_TEST_NEWEST:-}" != 1 ]; then
  echo 'the newest Docker is not built here; IMGBUILD_TEST_NEWEST=1 builds it, which takes minutes and a current Go'
  exit 0
fi
go=$(go env GOVERSION 2>/dev/null) || { echo 'no Go here to build the newest Docker with'; exit 0; }
[ "$(printf '%s\n' go1.26 "$go" | sort -V | head -n 1)" = go1.26 ] || { echo "the newest Docker is built with Go 1.26 or later, here is $go"; exit 0; }
pkg-config --exists libseccomp || { echo 'no libseccomp-dev here to build runc with'; exit 0; }
mkdir -p "$bin"
echo 'engine: building the newest Docker (minutes)' >&2
log=$bin/build.log
export GOBIN=$bin GOFLAGS=-buildvcs=false
{
  CGO_ENABLED=0 go install github.com/moby/moby/v2/cmd/dockerd@v2.0.0-beta.24 &&
    CGO_ENABLED=0 go install github.com/containerd/containerd/v2/cmd/containerd@v2.2.9 github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2@v2.2.9 &&
    CGO_ENABLED=1 go install -tags seccomp github.com/opencontainers/runc@v1.4.3
} >"$log" 2>&1 </dev/null 9>&- || { echo "engine: the newest Docker could not be built: $(tail -n 1 "$log")" >&2; exit 1; }
printf '%s' "$state" >"$bin/state"
