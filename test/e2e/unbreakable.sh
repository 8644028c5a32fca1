# A build is broken off at every step, by every cause; contexts and clocks are odd, scripts mean harm: what comes of it
# is a table of rows (_unbreakable.py, _unbreakable_odd.py), each of which leaves no name, no secret and nothing else.
# ROWS=REGEX takes those whose "cause: step" it matches.
. "$(dirname "$0")/_common.sh"
[ "$(id -u)" = 0 ] || { say "needs root: kills an engine of its own, and mounts small disks"; exit 77; }
command -v faketime >/dev/null || die 'no faketime here (Debian: apt-get install faketime)'
# The engine lies on a small disk, in memory: it can be filled, and searched in no time.
export T=$t IMGBUILD IMGBUILD_TEST_DIR=$IMGBUILD_TEST_DIR/unbreakable-$$ HIDDEN_PORT=$((21000 + RANDOM % 10000))
export HIDDEN_DIR=$IMGBUILD_TEST_DIR/hidden
disk=$HIDDEN_DIR
ends() {
  local status=$?
  set +e
  engine_hidden_down # which forgets its folder
  umount -l "$disk" 2>/dev/null && rm -rf "$IMGBUILD_TEST_DIR"
  (exit $status)
  at_end
}
mkdir -p "$HIDDEN_DIR"
trap ends EXIT
mount -t tmpfs -o size=400m tmpfs "$HIDDEN_DIR"
engine_hidden_up
mkdir "$t/app"
head -c 3000000 /dev/urandom >"$t/app/data"
ssh-keygen -q -t ed25519 -N '' -C '' -f "$t/key"
ssh-agent -D -a "$t/agent.sock" </dev/null >/dev/null 2>&1 &
started $! env "SSH_AUTH_SOCK=$t/agent.sock" ssh-add -q "$t/key" 2>/dev/null || fail 'ssh-agent does not answer'
# ask FILE [MS]: says what is in it to the agent socket; prints `answer` and the kinds of what comes, `closed` where
# nothing does for so long.
cat >"$t/ask.cpp" <<'CPP'
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
static char said[1 << 20], answer[1 << 16];
int main(int argc, char** argv) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  strncpy(to.sun_path, getenv("SSH_AUTH_SOCK"), sizeof to.sun_path - 1);
  const int agent = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(agent, (sockaddr*)&to, sizeof to) != 0) return puts("closed"), 0;
  const ssize_t size = read(open(argv[1], O_RDONLY), said, sizeof said);
  for (ssize_t at = 0, n; at < size && (n = send(agent, said + at, size - at, MSG_NOSIGNAL)) > 0; at += n) {}
  pollfd wait = {agent, POLLIN, 0};
  size_t got = 0;
  for (ssize_t n; poll(&wait, 1, got > 0 ? 50 : argc > 2 ? atoi(argv[2]) : 5000) > 0 && (n = read(agent, answer + got, sizeof answer - got)) > 0;) got += n;
  printf(got > 4 ? "answer" : "closed");
  for (size_t at = 0; at + 4 < got;) {
    printf(" %d", answer[at + 4]);
    at += 4 + ((unsigned char)answer[at + 2] << 8) + (unsigned char)answer[at + 3];
  }
  puts("");
}
CPP
g++ -static -O1 -w -o "$t/ask" "$t/ask.cpp"
python3 "$SOURCE/test/e2e/_unbreakable.py"
