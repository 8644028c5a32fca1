#pragma once
#include <cstddef>
#include <vector>

#include "base/bytes.hpp"

namespace imgbuild {

/// What is joined in a text.
struct Joined {
  std::vector<std::size_t> ends;  ///< of each text of a list but its last, where its closing quote is
  struct Opener {
    std::size_t begin, end;
  };
  std::vector<Opener> openers;  ///< what stands between a name's operator and the first quote: "".join([
  void sort();
};

/// Where a list of texts is joined with nothing between them: ["ab", "cd"].join(""), "".join(("ab", "cd")),
/// implode('', ['ab', 'cd']), strings.Join([]string{"ab", "cd"}, ""). `empty` is where the empty text begins that says
/// so. Looks joined_reach bytes to each side; what is no such place adds nothing.
void find_joined(View text, std::size_t empty, Joined& joined);

inline constexpr std::size_t joined_reach = std::size_t{2} << 10;

}  // namespace imgbuild
