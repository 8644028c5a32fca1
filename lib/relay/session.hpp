#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/secret.hpp"
#include "base/stream.hpp"

/// The relay: a small static program in the builder (lib/relay/guest/), and the driver's side of its conversation.
/// Everything enters over an exec's standard input in frames of a stated length and leaves over its output (wire.hpp).
namespace imgbuild {

/// The embedded relay program for a platform ("amd64", "arm64"); empty where there is none.
View relay_program(std::string_view architecture);

/// The command of the exec that becomes the relay once `program` has been written to its standard input. The base
/// needs `sh`, `chmod`, and `head` or `dd`.
std::vector<std::string> relay_bootstrap(const std::string& home, std::size_t program_size);

/// What the relay is to do.
struct RelayTask {
  std::string home = "/dev/imgbuild";             ///< the folder of ours in the builder
  std::string context = "/dev/imgbuild/context";  ///< the folder that the context goes to: there, and empty
  std::string accounts = "/etc";                  ///< where passwd and group lie
  bool container = true;                          ///< false: only the relay's offspring is ended after the script
  std::string user, workdir;                      ///< as the base's USER has it; workdir may be relative to the context
  std::vector<std::string> base_env, env;         ///< "K=V": of the base's config, of the user
  std::vector<std::string> command;               ///< run verbatim; empty: the script
  std::string_view script;
  std::vector<std::pair<std::string, const Secret*>> secrets;  ///< id and value
  struct LentFile {
    std::string place;  ///< absolute, or in the context
    std::uint32_t mode = 0600;
    const Secret* content = nullptr;
  };
  std::vector<LentFile> lent_files;  ///< at their places while the script runs; then these are as they were
  std::vector<std::string> volumes;  ///< folders to watch: what is written there does not ship
  std::vector<std::string> caches;   ///< folders under HOME/cache that outlive the builder
  bool look_at_caches = false;       ///< what the script changes in them goes to RelayEvents
  int tar = -1;                      ///< the context, read from its beginning; -1: an empty one
  bool lend = false;                 ///< offer the agent socket
  std::string known_hosts;           ///< lines for the builder's ssh
  std::string certificates;          ///< PEM of authorities that programs trust besides the base's
  std::vector<std::pair<std::string, std::string>> fingerprints;  ///< {name, "SHA256:..."} where no line is known
  bool syslog = false;                                            ///< take what the script writes to /dev/log
  double timeout = 0;                                             ///< seconds for the script; 0: none
};

/// Answers one client of the agent socket: bytes in, bytes out. Called on a thread of its own; may block, may throw
/// (the client is dropped).
using AgentAnswer = std::function<Bytes(View)>;

struct RelayEvents {
  std::function<void(std::string_view)> output, errors;  ///< what the script prints, as it comes
  std::function<void()> quiet;                           ///< at least every 200 ms while the script runs
  std::function<void(std::string_view)> logged;          ///< a message of /dev/log, as it came
  std::function<AgentAnswer()> client;                   ///< a new client of the agent socket
  /// Something that is new in a cache, "CACHE/PATH", and its bytes in pieces. Only with look_at_caches.
  std::function<void(std::string_view path, std::uint64_t size)> cached;
  std::function<void(View)> cached_bytes;
  std::function<std::vector<std::string>()> cached_all;  ///< that was all: the caches that must be emptied
};

struct RelayResult {
  int status = 0;                    ///< the script's, or 128 + signal
  std::vector<std::string> killed;   ///< what it left running: "123 sleep"; printable
  std::vector<std::string> written;  ///< of RelayTask::volumes: those whose content changed
  /// Places of RelayTask::lent_files where the script put something of its own: it is gone.
  std::vector<std::string> replaced;
};

/// The relay went away, or never came: the builder was stopped, the engine is gone, or the script killed it.
class RelayGone : public Error {
 public:
  using Error::Error;
};

/// One script in one builder. One thread; the clients of the agent are answered on others.
class RelaySession {
 public:
  /// `stream` is the exec of relay_bootstrap(), just started. It must outlive the session.
  RelaySession(Stream& stream, View program);
  /// Waits for answers under way: close the gateway first.
  ~RelaySession();

  /// Sends everything, runs the script to its end. When it returns nothing else runs in the builder and no client is
  /// being answered any more. Throws Error where the builder has no way to begin, the task cannot be done, the
  /// conversation breaks off (RelayGone) or makes no sense ("the builder's relay was disturbed"), the time is up;
  /// Interrupted.
  RelayResult run(const RelayTask& task, const RelayEvents& events);

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace imgbuild
