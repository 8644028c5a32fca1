#pragma once
#include <stdexcept>
#include <string>
#include <string_view>

namespace imgbuild {

/// Why the program ends, as its exit status says it (README, "Exit status").
enum class Status : int {
  clean = 0,         ///< done; nothing found
  leak = 1,          ///< a leak was found, or a file of the context was refused
  usage = 2,         ///< the command line (or a configuration file) made no sense
  failed = 3,        ///< the work could not be done, or not completed
  script = 4,        ///< the builder's own script failed
  interrupted = 130  ///< SIGINT; SIGTERM is 143
};

/// The one class of failures. What was *found* is a value; what *failed* is thrown, so that a forgotten check
/// fails closed. The message is one line, outermost circumstance first, without capital or full stop
/// ("audit: layer 3: app/lib.tar: truncated archive"), and never holds a byte of a secret.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& what, std::string hint = {}, Status status = Status::failed)
      : std::runtime_error(what), hint_(std::move(hint)), status_(status) {}

  /// What the user can do about it; empty where nothing better is known than the message.
  const std::string& hint() const noexcept { return hint_; }
  Status status() const noexcept { return status_; }

  /// The same failure seen from further out: "circumstance: what".
  Error within(std::string_view circumstance) const {
    return Error(std::string(circumstance) + ": " + what(), hint_, status_);
  }

 private:
  std::string hint_;
  Status status_;
};

/// A failure of the command line or of a configuration file (exit 2).
inline Error usage_error(const std::string& what, std::string hint = {}) {
  return Error(what, std::move(hint), Status::usage);
}

/// A failed system call: "circumstance: strerror(number)". Take errno first, before anything else can change it.
Error system_error(const std::string& circumstance, int number);

}  // namespace imgbuild
