#pragma once
#include <string>
#include <vector>

#include "base/fetch.hpp"
#include "relay/asking.hpp"

namespace imgbuild {

/// The command of the exec that becomes a second relay, once the script has ended: the program lies there still.
std::vector<std::string> relay_files_command(const std::string& home);

/// What a builder has at an absolute path, told by a relay in it: a tar whose members are named from the last part of
/// the path (of "/" and of a path that ends in '/', which is looked at behind a link, too), folders before what is in
/// them, names in order. Owners, modes, links, devices and extended attributes (capabilities, ACLs, user.*) as they
/// are; whole seconds, none before 1970; sockets are left out. One thread.
///
/// Told is what lies on the file systems of `within`; of another one that is mounted there, nothing.
///
/// The builder's script may have put another program in the relay's place, or changed what is told: it is the builder's
/// word about its own files, and trusted no further than these.
class RelayFiles : public Source {
 public:
  /// `exec` is that of relay_files_command(), just started, and must outlive this. Waits until it is known whether
  /// there is anything. Throws Error as next() does.
  RelayFiles(Stream& exec, const std::string& path, const std::vector<std::string>& within);
  bool found() const { return found_; }
  /// Throws Error "the builder: why", or where the conversation breaks off, makes no sense, or stands still for
  /// minutes; Interrupted.
  View next() override;

 private:
  void wait();

  RelayAsking relay_;
  RelayFrame piece_;
  bool found_ = true, over_ = false;
  bool waiting_ = false;  // a piece that next() has not given yet
};

/// The arguments of a relay that serves files.
inline constexpr const char* relay_serves = "serve";

/// Files where a relay serves them: its exec, just started, must outlive this. Answers may be many seconds of work away
/// from their questions, but not minutes. Throws Error as RelayFiles does.
class RelayFetch : public Fetch {
 public:
  explicit RelayFetch(Stream& exec) : relay_(exec) {}
  void want(const std::string& folder, const std::string& path) override;
  std::optional<std::uint64_t> begin() override;
  std::size_t read(std::span<std::uint8_t> into) override;
  const std::string& why() const override { return why_; }
  /// Nothing is wanted, and nothing of an answer is left: another may go on with the exec.
  bool idle() const { return wanted_ == 0 && left_ == 0; }

 private:
  RelayFrame answer();

  RelayAsking relay_;
  std::string folder_, why_;
  std::size_t wanted_ = 0;
  std::uint64_t left_ = 0;
  RelayFrame piece_;
  std::size_t piece_at_ = 0;
};

}  // namespace imgbuild
