#pragma once
#include <cstddef>
#include <vector>

#include "scan/runs.hpp"

namespace imgbuild {

/// A stretch of a text.
struct Part {
  std::size_t begin, end;
};

inline constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

/// The quote that closes the literal which the one at `open` begins: on its line and before `limit`; else nowhere.
std::size_t closing_quote(View text, std::size_t open, std::size_t limit);
/// The quote that opens the literal which the one at `close` ends: on its line and not before `low`; else nowhere.
std::size_t opening_quote(View text, std::size_t close, std::size_t low);
/// The opening quote at `at`, or behind the letters that say how a literal is written: r"", b'', $""; else nowhere.
std::size_t quote_at(View text, std::size_t at);
/// Behind blanks, line breaks and comments.
std::size_t behind_space(View text, std::size_t at, std::size_t limit);
/// Before the blanks and line breaks that end at `at`.
std::size_t before_space(View text, std::size_t at);

/// The opening quote of the literal that is joined to the one which ends before `at`: nothing is between the two but
/// blanks, comments and one operator. nowhere: none is.
std::size_t next_joined(View text, std::size_t at, std::size_t limit);

/// Reads the literal that begins with the quote at `open` and those that are joined to it. Adds what is between their
/// quotes. Behind the last closing quote; nowhere: there is no literal.
std::size_t read_joined(View text, std::size_t open, std::size_t limit, std::vector<Part>& parts);

/// Could a token go over a joint of these parts? Asked before they are put together: most are words.
bool may_join_token(View text, const std::vector<Part>& parts);

/// A text that a program puts together out of parts of another, as it is shown to the rules: only those with a shape of
/// their own count there.
class Together {
 public:
  Together(View text, const char* road);
  /// Begins with what stands on the line before `first`.
  void lead(std::size_t first);
  void add(Part part);
  /// One byte, which is written at `at`.
  void add(char byte, std::size_t at);
  /// Its last character ends at `end`. Could a token go over a joint of it? (`anywhere`: could one be in it?)
  bool finish(std::size_t end, bool anywhere = false);
  DecodedRun& run() { return run_; }

 private:
  View text_;
  DecodedRun run_;
  std::vector<std::size_t> joints_;
};

}  // namespace imgbuild
