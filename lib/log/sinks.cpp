// The places a log can go to. Sockets never block: each wait also has an ear for `stop`.
#include <dirent.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "log/sink.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t most_text = 8000;  // of one message; rsyslogd takes 8 KiB unless told otherwise
constexpr int patience = 10'000;         // ms for a connection to come about

// A log of a build, in files of bounded size; the folder holds so many.
class FolderSink : public LogSink {
 public:
  FolderSink(std::string folder, const LogLimits& limits) : folder_(std::move(folder)), limits_(limits) {
    std::error_code error;
    std::filesystem::create_directories(folder_, error);
    if (!std::filesystem::is_directory(folder_)) throw usage_error("--log: " + printable(folder_) + ": is no folder");
    if (::access(folder_.c_str(), W_OK | X_OK) != 0)
      throw usage_error("--log: " + printable(folder_) + ": cannot be written");
  }

  std::size_t write(const LogLine& line, int) override {
    const std::string text =
        log_time(line.time) + " " + (line.from == "imgbuild" ? "" : line.from + ": ") + line.text + "\n";
    if (!file_ || (size_ > 0 && size_ + text.size() > limits_.size)) next_file(line.time);
    write_full(file_.get(), view_of(text), printable(name_));
    size_ += text.size();
    return 0;
  }

 private:
  static bool is_ours(const std::string& name) {
    return name.starts_with("imgbuild-") && name.find(".log") != std::string::npos;
  }

  void next_file(const timespec& time) {
    if (base_.empty()) {
      base_ = "imgbuild-" + log_time(time) + "-" + std::to_string(::getpid());
      base_.erase(std::remove(base_.begin(), base_.end(), ':'), base_.end());
    }
    char part[16];
    std::snprintf(part, sizeof part, ".%04u", ++part_);
    name_ = folder_ + "/" + base_ + ".log" + (part_ == 1 ? "" : part);
    file_ = Fd(::open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file_) throw system_error(printable(name_), errno);
    size_ = 0;
    forget_oldest();
  }

  // By age as the file system has it; what was not made by us stays.
  void forget_oldest() const {
    struct Old {
      std::int64_t seconds, nanoseconds;
      std::string name;
      auto operator<=>(const Old&) const = default;
    };
    std::vector<Old> all;
    DIR* list = ::opendir(folder_.c_str());
    if (list == nullptr) return;
    while (const dirent* entry = ::readdir(list)) {
      struct stat facts {};
      if (!is_ours(entry->d_name) || ::fstatat(::dirfd(list), entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) != 0 ||
          !S_ISREG(facts.st_mode))
        continue;
      all.push_back({facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec, entry->d_name});
    }
    std::sort(all.begin(), all.end());
    for (std::size_t i = 0; i + limits_.keep < all.size(); ++i)
      if (folder_ + "/" + all[i].name != name_) ::unlinkat(::dirfd(list), all[i].name.c_str(), 0);
    ::closedir(list);
  }

  const std::string folder_;
  const LogLimits limits_;
  std::string base_, name_;
  Fd file_;
  std::uint64_t size_ = 0;
  unsigned part_ = 0;
};

// Waits until the socket is ready. Throws where that takes too long or nobody waits any more.
void wait_for(int socket, short what, int stop, int milliseconds) {
  pollfd waits[2] = {{socket, what, 0}, {stop, POLLIN, 0}};
  int n = 0;
  while ((n = ::poll(waits, 2, milliseconds)) < 0 && errno == EINTR) {
  }
  if (n < 0) throw system_error("poll", errno);
  if (waits[1].revents != 0) throw Error("it takes nothing");
  if (n == 0) throw Error("it does not answer");
}

class SocketSink : public LogSink {
 public:
  explicit SocketSink(LogTarget target) : target_(std::move(target)) {
    char host[256] = "";
    if (::gethostname(host, sizeof host - 1) == 0) host_ = host;
    process_ = std::to_string(::getpid());
  }

  std::size_t write(const LogLine& line, int stop) override {
    lost_ = 0;
    LogLine piece = line;
    // A long line is several messages, cut between characters.
    for (std::string_view rest = line.text; true;) {
      std::size_t n = std::min(rest.size(), most_text);
      while (n < rest.size() && n > most_text - 4 && (static_cast<unsigned char>(rest[n]) & 0xc0) == 0x80) --n;
      piece.text = rest.substr(0, n);
      send(message(piece), stop);
      rest.remove_prefix(n);
      if (rest.empty()) return lost_;
    }
  }

  // Nobody answers a datagram; that nobody listened comes back on the next one, or can be asked for.
  std::size_t finish() override {
    int why = 0;
    socklen_t length = sizeof why;
    if (target_.kind != LogTarget::Kind::syslog_udp || !socket_) return 0;
    pollfd wait{socket_.get(), 0, 0};
    ::poll(&wait, 1, 50);
    ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &why, &length);
    return why == ECONNREFUSED ? 1 : 0;
  }

 private:
  std::string message(const LogLine& line) const {
    if (target_.kind == LogTarget::Kind::journald) return journal_message(line);
    const std::string text = syslog_message(line, host_, process_);
    // Octet counting (RFC 6587, 3.4.1).
    return target_.kind == LogTarget::Kind::syslog_tcp ? std::to_string(text.size()) + " " + text : text;
  }

  // All of it on one connection, or it begins anew: half a message counts for nothing at the other end.
  void send(const std::string& message, int stop) {
    const bool had = static_cast<bool>(socket_);
    try {
      send_once(message, stop);
    } catch (const Error&) {
      socket_.reset();
      if (!had) throw;
      send_once(message, stop);  // the end of a connection is seen by writing only
    }
  }

  void send_once(std::string_view message, int stop) {
    if (!socket_) connect(stop);
    while (!message.empty()) {
      notice_end();
      const ssize_t n = ::send(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n >= 0) {
        message.remove_prefix(static_cast<std::size_t>(n));
      } else if (errno == EAGAIN || errno == ENOBUFS) {
        wait_for(socket_.get(), POLLOUT, stop, -1);
      } else if (errno != EINTR) {
        const int why = errno;
        socket_.reset();
        if (why == ECONNREFUSED && target_.kind == LogTarget::Kind::syslog_udp) ++lost_;
        throw system_error("sending", why);
      }
    }
  }

  // A server that closed its end still has its bytes acknowledged by its kernel: what is written then is lost unseen.
  void notice_end() {
    if (target_.kind != LogTarget::Kind::syslog_tcp) return;
    char nothing[64];
    ssize_t n = 0;
    while ((n = ::recv(socket_.get(), nothing, sizeof nothing, MSG_DONTWAIT)) > 0) {
    }
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
      socket_.reset();
      throw Error("it closed the connection");
    }
  }

  void connect(int stop) {
    if (!target_.path.empty()) {
      sockaddr_un address{};
      address.sun_family = AF_UNIX;
      std::memcpy(address.sun_path, target_.path.c_str(), target_.path.size() + 1);
      int why = 0;
      socket_ = try_connect(AF_UNIX, SOCK_DGRAM, reinterpret_cast<sockaddr*>(&address), sizeof address, stop, why);
      if (!socket_) throw system_error(printable(target_.path), why);
      return;
    }
    const bool stream = target_.kind == LogTarget::Kind::syslog_tcp;
    addrinfo hints{}, *found = nullptr;
    hints.ai_socktype = stream ? SOCK_STREAM : SOCK_DGRAM;
    if (const int code = ::getaddrinfo(target_.host.c_str(), target_.port.c_str(), &hints, &found); code != 0)
      throw Error(printable(target_.host) + ": " + ::gai_strerror(code));
    int why = 0;
    for (const addrinfo* at = found; at != nullptr && !socket_; at = at->ai_next)
      socket_ = try_connect(at->ai_family, at->ai_socktype, at->ai_addr, at->ai_addrlen, stop, why);
    ::freeaddrinfo(found);
    if (!socket_) throw system_error(printable(target_.host) + ":" + target_.port, why);
  }

  static Fd try_connect(int family, int type, const sockaddr* address, socklen_t size, int stop, int& why) {
    Fd socket(::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) {
      why = errno;
      return {};
    }
    if (::connect(socket.get(), address, size) == 0) return socket;
    why = errno;
    if (why != EINPROGRESS) return {};
    pollfd waits[2] = {{socket.get(), POLLOUT, 0}, {stop, POLLIN, 0}};
    const int n = ::poll(waits, 2, patience);
    socklen_t length = sizeof why;
    why = n == 0 || waits[1].revents != 0 ? ETIMEDOUT : 0;
    if (why == 0) ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &why, &length);
    return why == 0 ? std::move(socket) : Fd();
  }

  const LogTarget target_;
  std::string host_, process_;
  Fd socket_;
  std::size_t lost_ = 0;  // of the lines before this one
};

}  // namespace

std::unique_ptr<LogSink> open_log_sink(const LogTarget& target, const LogLimits& limits) {
  if (target.kind == LogTarget::Kind::folder) return std::make_unique<FolderSink>(target.path, limits);
  return std::make_unique<SocketSink>(target);
}

}  // namespace imgbuild
