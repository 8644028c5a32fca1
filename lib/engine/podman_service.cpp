// The shell between us and podman is what ends it: it holds the read end of a pipe whose other end is ours, and when
// that closes, by whatever way we end, it tells podman to. A service that was left behind would keep its containers.
#include "engine/podman_service.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "base/unix_socket.hpp"
#include "engine/demux.hpp"
#include "image/login.hpp"

namespace imgbuild {
namespace {

constexpr auto patience = std::chrono::seconds(60);  // a first start migrates, or makes, the store

// In a folder of ours: a conmon whose container runs out of memory writes a file where it stands.
constexpr const char* script =
    "cd \"$1\" && shift && exec 3<&0; \"$@\" </dev/null 3<&- & p=$!; { read x <&3; kill $p; } 2>/dev/null & exec 3<&-; "
    "wait $p";

std::string said_in(const Fd& words) {
  std::string text(std::size_t{64} << 10, '\0');
  text.resize(read_full_at(words.get(), 0, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()}, "podman"));
  const auto lines = split(trim(text), '\n');
  return lines.empty() ? "" : one_line(lines.back());
}

}  // namespace

bool PodmanService::possible() {
  for (const auto& folder : split(process_variables()("PATH"), ':'))
    if (folder.starts_with('/') && ::access((folder + "/podman").c_str(), X_OK) == 0) return true;
  return false;
}

PodmanService::PodmanService()
    : socket_(folder_.path() + "/podman.sock"), words_(::memfd_create("podman", MFD_CLOEXEC)) {
  if (!words_) throw system_error("memfd", errno);
  auto [read, write] = Fd::pipe();
  life_ = std::move(write);
  Command service;
  service.argv = {"sh",     "-c",      script,   "sh", folder_.path(),     "podman",
                  "system", "service", "--time", "0",  "unix://" + socket_};
  service.in = read.get();
  service.out = service.err = words_.get();
  service.apart = true;
  process_ = std::make_unique<Process>(service);
  read.reset();
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!listens(socket_)) {
    interrupt::check();
    if (process_->ended() || std::chrono::steady_clock::now() > until) {
      const std::string said = said_in(words_);
      throw Error("engine: podman's service does not start" + (said.empty() ? "" : ": " + said),
                  "does `podman info` work? Or say which engine with --engine or DOCKER_HOST");
    }
    ::usleep(20'000);
  }
}

PodmanService::~PodmanService() {
  life_.reset();
  for (int i = 0; i < 500 && !process_->ended(); ++i) ::usleep(10'000);
}

std::string podman_address() {
  const Variables variables = process_variables();
  if (std::string host = variables("CONTAINER_HOST"); !host.empty()) return host;
  std::vector<std::string> sockets;
  if (const std::string runtime = variables("XDG_RUNTIME_DIR"); !runtime.empty())
    sockets.push_back(runtime + "/podman/podman.sock");
  else if (::geteuid() != 0)
    sockets.push_back("/run/user/" + std::to_string(::geteuid()) + "/podman/podman.sock");
  sockets.emplace_back("/run/podman/podman.sock");
  for (const auto& socket : sockets)
    if (listens(socket)) return "unix://" + socket;
  return {};
}

bool listens(const std::string& socket) {
  try {
    return static_cast<bool>(connect_unix(socket));
  } catch (const Error&) {
    return false;
  }
}

}  // namespace imgbuild
