#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <list>
#include <mutex>
#include <thread>

#include "agent/gateway.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/temp_dir.hpp"
#include "base/text.hpp"

namespace imgbuild {
namespace {

// Waits until the descriptor can be read; false once `ended` is readable.
bool readable(int fd, int ended) {
  pollfd watched[] = {{fd, POLLIN, 0}, {ended, POLLIN, 0}};
  while (::poll(watched, std::size(watched), -1) < 0)
    if (errno != EINTR) return false;
  return watched[1].revents == 0;
}

// A client that reads no answers keeps its thread here until it goes, or the listener does.
bool send_all(int fd, View bytes, int ended) {
  while (!bytes.empty()) {
    pollfd watched[] = {{fd, POLLOUT, 0}, {ended, POLLIN, 0}};
    if (::poll(watched, std::size(watched), -1) < 0 && errno != EINTR) return false;
    if (watched[1].revents != 0) return false;
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EINTR && errno != EAGAIN) return false;
    if (sent > 0) bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace

struct GatewaySocket::Inside {
  static constexpr std::size_t most_clients = 64;

  struct Served {
    Fd socket;
    std::unique_ptr<Gateway::Client> client;
    std::atomic<bool> over{false};
    std::thread thread;
  };

  explicit Inside(Gateway& from) : gateway(from), path(folder.path() + "/agent"), ended(::eventfd(0, EFD_CLOEXEC)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    // ssh itself could not connect to a longer one either.
    if (path.size() >= sizeof address.sun_path)
      throw Error(printable(path) + ": too long for a socket's path", "set TMPDIR to a shorter path");
    std::memcpy(address.sun_path, path.data(), path.size());
    listener = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!ended || !listener ||
        ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::chmod(path.c_str(), 0666) != 0 || ::listen(listener.get(), 128) != 0)  // the folder is who may
      throw system_error(printable(path), errno);
    acceptor = std::thread([this] { accept(); });
  }

  ~Inside() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(ended.get(), &one, sizeof one);
    acceptor.join();
    for (auto& one_served : served) one_served.client->cancel();
    for (auto& one_served : served) one_served.thread.join();
  }

  void accept() {
    while (readable(listener.get(), ended.get())) {
      Fd socket(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      served.remove_if([](Served& past) {
        if (past.over) past.thread.join();
        return past.over.load();
      });
      if (!socket || served.size() >= most_clients) continue;  // the client sees its connection closed
      try {
        Served& fresh = served.emplace_back();
        fresh.socket = std::move(socket);
        fresh.client = gateway.client();
        fresh.thread = std::thread([this, &fresh] { serve(fresh); });
      } catch (const std::exception&) {
        served.pop_back();
      }
    }
  }

  void serve(Served& one) noexcept {
    try {
      std::array<std::uint8_t, 16384> piece;
      while (readable(one.socket.get(), ended.get())) {
        const ssize_t got = ::recv(one.socket.get(), piece.data(), piece.size(), 0);
        if (got <= 0) break;
        const Bytes answer = one.client->serve(View(piece.data(), static_cast<std::size_t>(got)));
        if (!send_all(one.socket.get(), answer, ended.get())) break;
      }
    } catch (const std::exception&) {  // the client is dropped; the ledger says why, where a signature was asked for
    }
    ::shutdown(one.socket.get(), SHUT_RDWR);
    one.over = true;
  }

  Gateway& gateway;
  TempDir folder;
  std::string path;
  Fd listener;
  Fd ended;                  // an eventfd, readable once the listener is to end
  std::list<Served> served;  // the acceptor's alone, and the destructor's once that has ended
  std::thread acceptor;
};

GatewaySocket::GatewaySocket(Gateway& gateway) : inside_(std::make_unique<Inside>(gateway)) {}
GatewaySocket::~GatewaySocket() = default;
const std::string& GatewaySocket::path() const { return inside_->path; }

}  // namespace imgbuild
