// The shell between us and podman is what ends it: it holds the read end of a pipe whose other end is ours, and when
// that closes, by whatever way we end, it tells podman to. A service that was left behind would keep its containers.
#include "engine/podman_service.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <vector>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "base/unix_socket.hpp"
#include "config/merged_toml.hpp"
#include "engine/demux.hpp"
#include "engine/engine.hpp"
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

// The files that say how podman is to run, the later over the earlier (containers.conf(5)).
std::vector<std::string> configurations() {
  const Variables variables = process_variables();
  if (std::string only = variables("CONTAINERS_CONF"); !only.empty()) return {only};
  std::vector<std::string> folders = {"/etc/containers"};
  if (::geteuid() != 0) {
    const std::string own = variables("XDG_CONFIG_HOME");
    folders.push_back((own.empty() ? variables("HOME") + "/.config" : own) + "/containers");
  }
  std::vector<std::string> files = {"/usr/share/containers/containers.conf"};
  for (const auto& folder : folders) {
    files.push_back(folder + "/containers.conf");
    std::vector<std::string> parts;
    std::error_code none;
    for (const auto& part : std::filesystem::directory_iterator(folder + "/containers.conf.d", none))
      if (part.path().extension() == ".conf") parts.push_back(part.path().string());
    std::sort(parts.begin(), parts.end());
    files.insert(files.end(), parts.begin(), parts.end());
  }
  return files;
}

// What podman is told anyway, and that it binds the socket wherever it builds.
std::string lending(const std::string& agent) {
  if (agent.find_first_of(":,") != std::string::npos)
    throw Error(printable(agent) + ": podman binds no path with a ':' or ','", "set TMPDIR to another folder");
  std::vector<std::pair<std::string, std::string>> documents;
  for (const auto& file : configurations())
    if (::access(file.c_str(), F_OK) == 0) documents.emplace_back(file, read_file(file, std::size_t{1} << 20));
  return merged_toml(documents, "containers", "volumes", {agent + ":" + lent_agent});
}

}  // namespace

bool PodmanService::possible() {
  for (const auto& folder : split(process_variables()("PATH"), ':'))
    if (folder.starts_with('/') && ::access((folder + "/podman").c_str(), X_OK) == 0) return true;
  return false;
}

PodmanService::PodmanService(const std::string& agent)
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
  if (!agent.empty()) {
    write_file(folder_.path() + "/containers.conf", lending(agent), 0600);
    service.env = {"CONTAINERS_CONF=" + folder_.path() + "/containers.conf"};
  }
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
