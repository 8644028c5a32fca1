#include "base/unix_socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdio>

#include "base/error.hpp"

namespace imgbuild {

Fd connect_unix(const std::string& path) {
  // Through /proc no path is too long, and what was opened is what is connected to.
  const Fd file = Fd::open(path, O_PATH);
  Fd made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!made) throw system_error("socket", errno);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d", file.get());
  if (::connect(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw system_error(path, errno);
  return made;
}

}  // namespace imgbuild
