#pragma once
#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"

namespace imgbuild {

/// Line breaks in a text, 16 bytes at a time.
std::size_t count_lines(View text);

/// The line of positions that only grow: each byte is counted once.
class LineCounter {
 public:
  explicit LineCounter(View text) : text_(text) {}
  std::uint32_t line_of(std::size_t position) {
    if (position > counted_) {
      line_ += static_cast<std::uint32_t>(count_lines(text_.subspan(counted_, position - counted_)));
      counted_ = position;
    } else if (position < counted_) {
      return 1 + static_cast<std::uint32_t>(count_lines(text_.first(position)));
    }
    return line_;
  }

 private:
  View text_;
  std::size_t counted_ = 0;
  std::uint32_t line_ = 1;
};

}  // namespace imgbuild
