// Serves files to a driver that cannot read them itself: in a container that has the engine's own folders, read-only,
// and nothing else (build/engine_helper.hpp). One request after the other, each answered in full.
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "relay/guest/guest.hpp"

namespace imgbuild::guest {
namespace {

void refuse(int number) { send(Kind::not_fetched, 0, ::strerror(number)); }

void fetch(int folder, const std::string& path) {
  open_how how = {};
  how.flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  const int file = static_cast<int>(::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how));
  if (file < 0) return refuse(errno);
  struct stat facts = {};
  if (::fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode)) {
    ::close(file);
    return refuse(EINVAL);
  }
  static char piece[wire::most_payload];
  auto left = static_cast<unsigned long long>(facts.st_size);
  std::size_t held = 0;  // of a file of the kernel's, which says that it is empty and is not: as much as a piece holds
  while (facts.st_size == 0 && held < sizeof piece) {
    const ssize_t n = ::read(file, piece + held, sizeof piece - held);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    left = held += static_cast<std::size_t>(n);
  }
  std::uint8_t size[8];
  wire::put_u32(size, static_cast<std::uint32_t>(left >> 32));
  wire::put_u32(size + 4, static_cast<std::uint32_t>(left));
  send(Kind::fetched, 0, {reinterpret_cast<const char*>(size), sizeof size});
  if (held > 0) send(Kind::output, 0, {piece, held});
  left -= held;
  while (left > 0) {
    const ssize_t n = ::read(file, piece, static_cast<std::size_t>(std::min<unsigned long long>(left, sizeof piece)));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail(path + ": became shorter while it was read", n < 0 ? errno : 0);
    send(Kind::output, 0, {piece, static_cast<std::size_t>(n)});
    left -= static_cast<unsigned long long>(n);
    if (unsent() >= wire::most_payload) flush();
  }
  ::close(file);
}

}  // namespace

int serve() {
  send(Kind::hello, 0, wire::version);
  send(Kind::running, 0, {});
  int folder = -1;
  Frame frame;
  for (;;) {
    if (!take_frame(frame)) {
      flush();  // what was asked for so far has been answered
      pollfd wait{STDIN_FILENO, POLLIN, 0};
      ::poll(&wait, 1, -1);
      if (!fill_input()) return 0;
    } else if (frame.kind == Kind::folder) {
      if (folder >= 0) ::close(folder);
      folder = ::open(frame.payload.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    } else if (frame.kind == Kind::fetch) {
      fetch(folder, frame.payload);
    } else {
      return 1;
    }
  }
}

}  // namespace imgbuild::guest
