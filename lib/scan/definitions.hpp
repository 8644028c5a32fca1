#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "scan/literals.hpp"

/// What a text gives to its names. Room-internal.
namespace imgbuild {

/// A name as it is used: a, this.a, a[1].
struct NameUse {
  std::string_view name;        ///< of its last part, without a sign before it
  std::size_t index = nowhere;  ///< in a list
};

/// What names are given in a stretch of a text: a = "b", a := "b", let a: string = "b", "a": "b", A=b, a = ["b", "c"].
class Definitions {
 public:
  /// Farther before its use than that no definition counts.
  static constexpr std::size_t reach = std::size_t{4} << 10;

  /// Those whose sign stands in [low, high) of `text`; linear.
  Definitions(View text, std::size_t low, std::size_t high);

  /// Is the name given a quoted text anywhere? Most are not: to be asked before value(), which has to know all.
  bool has_text(std::string_view name) const;

  /// The text that a name had at `at`: what was given to it last and not too far before. (`bare`: also a text without
  /// quotes, as of shells.)
  std::optional<Part> value(const NameUse& use, std::size_t at, bool bare);

 private:
  struct One {
    std::string_view name;
    std::size_t sign, end;
    Part value;  // begins and ends at its sign: no text
    bool bare = false, list = false;
  };
  void read(std::size_t sign);

  View text_;
  std::size_t low_, high_;
  std::vector<std::string_view> with_text_;  // names, sorted
  bool complete_ = false;
  std::vector<One> all_;  // by name, then by place
};

}  // namespace imgbuild
