#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "scan/scanner.hpp"

namespace imgbuild {

/// The text with every vault value (all origins, all forms) and everything a rule knows replaced by a marker
/// ("[redacted: secret npm]", "[redacted: npm.access-token]"). For one whole message: a path, a created_by, an error.
std::string redact(std::string_view text, const Scanner& scanner, const Vault& vault);

/// Redacts a live stream (the script's output): vault values are held back while the tail of what came is a prefix of
/// a form; rules act by line, a partial line is let go after 200 ms (call tick()); from a PEM BEGIN line to its END, or
/// 64 KiB, nothing is printed but a marker. What comes out does not depend on where the pieces were cut, but for
/// partial lines let go by time. One thread at a time.
class Redactor {
 public:
  Redactor(std::shared_ptr<const Scanner> scanner, const Vault& vault);
  ~Redactor();
  /// Takes a piece; returns what can be printed now.
  std::string feed(std::string_view piece);
  /// Called at least every 200 ms while the stream is quiet: returns a partial line whose time has come.
  std::string tick();
  /// The end: returns the rest.
  std::string finish();

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace imgbuild
