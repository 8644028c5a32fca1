#pragma once
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/fd.hpp"
#include "base/temp_dir.hpp"
#include "http/client.hpp"

namespace imgbuild {

/// A server on a unix socket that answers each request with what a function says, byte for byte, and closes the
/// connection; after an answer "101" it sends back whatever comes. It keeps the requests that it saw.
class ScriptedServer {
 public:
  using Answer = std::function<std::string(const std::string& request)>;

  explicit ScriptedServer(Answer answer, const std::string& folder = {})
      : answer_(std::move(answer)), path_((folder.empty() ? dir_.path() : folder) + "/socket") {
    listener_ = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    // Bound by a relative name, so that the path may be longer than sun_path.
    char before[4096];
    if (::getcwd(before, sizeof before) == nullptr || ::chdir(path_.substr(0, path_.rfind('/')).c_str()) != 0)
      throw std::runtime_error("chdir");
    address.sun_path[0] = 0;
    std::string("socket").copy(address.sun_path, sizeof address.sun_path - 1);
    const int bound = ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    if (::chdir(before) != 0 || bound != 0 || ::listen(listener_.get(), 16) != 0) throw std::runtime_error("listen");
    stop_ = Fd::pipe();
    thread_ = std::thread([this] { serve(); });
  }

  ~ScriptedServer() {
    stop_.second.reset();
    thread_.join();
  }

  HttpEndpoint endpoint() const {
    HttpEndpoint endpoint;
    endpoint.socket = path_;
    return endpoint;
  }

  /// First lines of the requests so far.
  std::vector<std::string> seen() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> lines;
    for (const auto& request : requests_) lines.push_back(request.substr(0, request.find(" HTTP/")));
    return lines;
  }
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  static std::string plain(int status, const std::string& body, const std::string& headers = {}) {
    return "HTTP/1.1 " + std::to_string(status) + " As said\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n" + headers + "\r\n" + body;
  }

 private:
  bool readable(int fd) const {
    pollfd waits[] = {{fd, POLLIN, 0}, {stop_.first.get(), POLLIN, 0}};
    return ::poll(waits, 2, -1) > 0 && waits[1].revents == 0;
  }

  void serve() {
    while (readable(listener_.get())) {
      const Fd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      const std::string request = receive(connection.get());
      if (request.empty()) continue;
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      const std::string answer = answer_(request);
      send(connection.get(), answer);
      if (answer.starts_with("HTTP/1.1 101")) echo(connection.get());
    }
  }

  std::string receive(int fd) const {
    std::string text;
    while (readable(fd)) {
      char piece[65536];
      const ssize_t n = ::read(fd, piece, sizeof piece);
      if (n <= 0) return text;
      text.append(piece, static_cast<std::size_t>(n));
      const std::size_t head = text.find("\r\n\r\n");
      if (head == std::string::npos) continue;
      const std::size_t length = text.find("Content-Length: ");
      if (text.find("Transfer-Encoding: chunked") < head) {
        if (text.ends_with("\r\n0\r\n\r\n")) return text;
      } else if (length > head || text.size() >= head + 4 + std::stoul(text.substr(length + 16))) {
        return text;
      }
    }
    return text;
  }

  static void send(int fd, std::string_view text) {
    while (!text.empty()) {
      const ssize_t n = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  void echo(int fd) const {
    while (readable(fd)) {
      char piece[4096];
      const ssize_t n = ::read(fd, piece, sizeof piece);
      if (n <= 0) return;
      send(fd, {piece, static_cast<std::size_t>(n)});
    }
  }

  Answer answer_;
  TempDir dir_;
  std::string path_;
  Fd listener_;
  std::pair<Fd, Fd> stop_;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

}  // namespace imgbuild
