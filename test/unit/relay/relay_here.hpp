#pragma once
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>

#include "base/error.hpp"
#include "base/process.hpp"
#include "base/stream.hpp"
#include "base/temp_dir.hpp"
#include "base/text.hpp"
#include "relay/session.hpp"

namespace imgbuild {

/// The driver's end of a socket as a Stream.
class SocketStream : public Stream {
 public:
  explicit SocketStream(Fd socket) : socket_(std::move(socket)) { ::fcntl(socket_.get(), F_SETFL, O_NONBLOCK); }
  int fd() const override { return socket_.get(); }
  std::optional<std::size_t> read(std::span<std::uint8_t> into) override {
    const ssize_t n = ::recv(socket_.get(), into.data(), into.size(), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
    if (n < 0) throw system_error("the exec", errno);
    return static_cast<std::size_t>(n);
  }
  std::size_t write(View bytes) override {
    const ssize_t n = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    if (n < 0) throw system_error("the exec", errno);
    return static_cast<std::size_t>(n);
  }

 private:
  Fd socket_;
};

#if defined(__aarch64__)
inline constexpr char this_architecture[] = "arm64";
#else
inline constexpr char this_architecture[] = "amd64";
#endif

/// The real relay as a process of this machine, its folders in a TempDir instead of a builder: bootstrapped as in one.
class RelayHere {
 public:
  RelayHere() {
    std::filesystem::create_directory(home());
    std::filesystem::create_directory(context());
    std::filesystem::create_directory(folder_.path() + "/etc");
    const std::string me = std::to_string(::geteuid()) + ":" + std::to_string(::getegid());
    std::ofstream(folder_.path() + "/etc/passwd")
        << "root:x:0:0:root:/root:/bin/sh\nme:x:" << me << "::/home/me:/bin/sh\n"
        << "dev:x:4321:4321::/home/dev:/bin/sh\n";
    std::ofstream(folder_.path() + "/etc/group") << "root:x:0:\ndev:x:4321:\nvideo:x:44:nobody,dev\n";
    std::filesystem::permissions(folder_.path(), std::filesystem::perms(0755));
    task.home = home();
    task.context = context();
    task.accounts = folder_.path() + "/etc";
    task.container = false;
    task.user = std::to_string(::geteuid());
    events.output = [this](std::string_view text) { out += text; };
    events.errors = [this](std::string_view text) { err += text; };
  }

  std::string path() const { return folder_.path(); }
  std::string home() const { return folder_.path() + "/home"; }
  std::string context() const { return folder_.path() + "/context"; }

  /// The exec, just started; the process is killed with this object.
  std::unique_ptr<Stream> start() {
    auto [ours, theirs] = Fd::socket_pair();
    Command command;
    command.argv = relay_bootstrap(home(), relay_program(this_architecture).size());
    command.in = theirs.get();
    command.out = theirs.get();
    process = std::make_unique<Process>(command);
    return std::make_unique<SocketStream>(std::move(ours));
  }
  RelayResult run(const std::string& script) {
    const auto stream = start();
    RelaySession session(*stream, relay_program(this_architecture));
    task.script = script;
    return session.run(task, events);
  }

  RelayTask task;
  RelayEvents events;
  std::string out, err;
  std::unique_ptr<Process> process;

 private:
  TempDir folder_;
};

}  // namespace imgbuild
