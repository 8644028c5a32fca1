#include "http/tunnel.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.hpp"
#include "base/text.hpp"

namespace imgbuild {

Tunnel::Tunnel(const std::vector<std::string>& command)
    : command_(command),
      inside_(Fd::open(folder_.path(), O_PATH | O_DIRECTORY)),
      listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)),
      words_(::memfd_create("words", MFD_CLOEXEC)),
      path_("/proc/self/fd/" + std::to_string(inside_.get()) + "/s") {  // short, however long $TMPDIR is
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.c_str(), path_.size());
  if (!listener_ || !words_ ||
      ::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_.get(), 1) != 0)
    throw system_error(printable(command_.front()), errno);
}

void Tunnel::accept() {
  if (process_ || !listener_) return;
  const Fd end(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!end) return;
  listener_.reset();
  Command command;
  command.argv = command_;
  command.in = command.out = end.get();
  command.err = words_.get();
  command.apart = true;
  process_ = std::make_unique<Process>(command);
}

std::string Tunnel::words() const {
  std::string text(4096, '\0');
  text.resize(read_full_at(words_.get(), 0, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()}, "its words"));
  return printable(join(split(trim(text), '\n'), "; "));
}

}  // namespace imgbuild
