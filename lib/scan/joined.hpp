#pragma once
#include <cstddef>
#include <vector>

#include "base/bytes.hpp"

namespace imgbuild {

/// Where a list of texts is joined with nothing between them: ["ab", "cd"].join(""), "".join(("ab", "cd")),
/// implode('', ['ab', 'cd']), strings.Join([]string{"ab", "cd"}, ""). `empty` is where the empty text begins that says
/// so; added to `ends` is, of each text of the list but the last, where its closing quote is. Looks joined_reach bytes
/// to each side; what is no such place adds nothing.
void find_joined(View text, std::size_t empty, std::vector<std::size_t>& ends);

inline constexpr std::size_t joined_reach = std::size_t{2} << 10;

}  // namespace imgbuild
