// The master is a connection to the engine like any other, but for the socket in a folder of ours over which ssh takes
// more of them: as long as we hold its standard input, the other end does not hang up.
#include "engine/ssh_road.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "engine/demux.hpp"

namespace imgbuild {
namespace {

constexpr const char* no_engine = "neither docker nor podman on that host";

Error no_address(const std::string& address) {
  return usage_error("engine: " + printable(address) + ": no address of an engine", "ssh://[USER@]HOST[:PORT]");
}

std::vector<std::string> with(const std::vector<std::string>& command, const std::vector<std::string>& options) {
  std::vector<std::string> whole = command;
  whole.insert(whole.begin() + 1, options.begin(), options.end());
  return whole;
}

std::string said_in(const Fd& words) {
  std::string text(4096, '\0');
  text.resize(read_full_at(words.get(), 0, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()}, "ssh"));
  return one_line(text);
}

}  // namespace

std::string ssh_hint(std::string_view said, const std::vector<std::string>& command) {
  if (said.find(no_engine) != std::string_view::npos) return "install one there, for the user who logs in";
  if (said.find("to Podman socket") != std::string_view::npos)
    return "`systemctl --user enable --now podman.socket` there, or ssh://HOST/PATH-OF-ITS-SOCKET";
  if (said.find("Cannot connect to the Docker daemon") != std::string_view::npos)
    return "start it there (systemctl start docker)";
  std::string shown;  // as a person would try it
  for (std::size_t i = 0; i + 1 < command.size(); ++i) {
    if (command[i] == "-o" && command[i + 1].starts_with("Control"))
      ++i;
    else
      shown += command[i] + " ";
  }
  return "`" + shown + "true` must connect without asking anything";
}

std::vector<std::string> ssh_command(const std::string& address) {
  std::string_view rest = std::string_view(address).substr(6);
  std::string user, port, path;
  if (const std::size_t slash = rest.find('/'); slash != std::string_view::npos) {
    path = rest.substr(slash);
    rest = rest.substr(0, slash);
  }
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    user = rest.substr(0, at);
    rest = rest.substr(at + 1);
    if (user.empty() || user.find(':') != std::string::npos)  // a password has no place there
      throw no_address(user.empty() ? address : "ssh://...@" + std::string(rest));
  }
  std::string host(rest);
  if (rest.starts_with('[')) {
    const std::size_t end = rest.find(']');
    if (end == std::string_view::npos) throw no_address(address);
    host = rest.substr(1, end - 1);
    rest = rest.substr(end + 1);
    if (!rest.empty() && !rest.starts_with(':')) throw no_address(address);
    if (!rest.empty()) port = rest.substr(1);
  } else if (const std::size_t colon = rest.find(':'); colon != std::string_view::npos) {
    host = rest.substr(0, colon);
    port = rest.substr(colon + 1);
    if (port.empty()) throw no_address(address);
  }
  std::uint16_t number = 22;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  const bool bad_port = !port.empty() && (error != std::errc() || end != port.data() + port.size() || number == 0);
  constexpr std::string_view odd = " \t\n\r?#%'\"\\`$;|&<>()*";
  if (host.empty() || host.starts_with('-') || user.starts_with('-') || bad_port ||
      (host + user + path).find_first_of(odd) != std::string::npos)
    throw no_address(address);

  std::vector<std::string> command = {"ssh", "-T", "-o", "ConnectTimeout=30"};
  if (!user.empty()) command.insert(command.end(), {"-l", user});
  if (!port.empty()) command.insert(command.end(), {"-p", port});
  const std::string docker = path.size() > 1 ? "docker --host unix://" + path : "docker";
  const std::string podman = path.size() > 1 ? "podman --url unix://" + path : "podman";
  // Whatever the login shell there is, it hands this to sh as one word.
  command.insert(command.end(), {"--", host,
                                 "sh -c 'if command -v docker >/dev/null; then exec " + docker +
                                     " system dial-stdio; elif command -v podman >/dev/null; then exec " + podman +
                                     " system dial-stdio; else echo there is " + no_engine + " >&2; exit 127; fi'"});
  return command;
}

SshRoad::SshRoad(const std::vector<std::string>& command)
    : command_(with(command, {"-o", "ControlPath=" + folder_.path() + "/s"})),
      words_(::memfd_create("ssh", MFD_CLOEXEC)) {
  if (!words_) throw system_error("memfd", errno);
  auto [ours, theirs] = Fd::socket_pair();
  input_ = std::move(ours);
  Command master;
  master.argv = with(command_, {"-o", "ControlMaster=yes", "-o", "ControlPersist=no"});
  master.in = master.out = theirs.get();
  master.err = words_.get();
  master.apart = true;
  master_ = std::make_unique<Process>(master);
  theirs.reset();
  // ssh may wait for a hardware key's touch: no limit, but its own.
  const std::string socket = folder_.path() + "/s";
  while (::access(socket.c_str(), F_OK) != 0) {
    interrupt::check();
    if (master_->ended()) {
      const std::string said = said_in(words_);
      throw Error("engine: ssh: " + (said.empty() ? "it ended without a word" : said), ssh_hint(said, command));
    }
    ::usleep(20'000);
  }
}

std::vector<std::string> SshRoad::command() const { return with(command_, {"-o", "ControlMaster=no"}); }

}  // namespace imgbuild
