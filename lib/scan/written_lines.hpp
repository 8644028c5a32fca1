#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "scan/turned.hpp"

namespace imgbuild {

/// Shows the lines of a text that stands in a literal with \n between them, as lines: the cells of notebooks, messages
/// of chats, pages in a dump, files in a configuration. `at`: where such a line ends. Where the next is to be looked
/// at. Room-internal.
std::size_t show_written_lines(View text, std::size_t at, std::size_t limit, const SeeRun& see);

/// A pattern of the compiled-in rules, with (?:^|[\r\n]) taken for what a line begins with: also behind what stands
/// before each line of a text that was quoted, compared, numbered or logged.
std::string with_wide_lines(std::string_view pattern);

}  // namespace imgbuild
