#pragma once
#include <cstddef>
#include <vector>

#include "scan/literals.hpp"

/// How lists of literals are joined, in the languages that people write. Each function is given where a word stands,
/// what is behind it, and how far it may read. Room-internal.
namespace imgbuild {

/// What was read of a text: the parts that it puts together, in their order. (Fewer than two: none.)
struct JoinedTexts {
  std::vector<Part> parts;
  std::size_t end = 0;  ///< how far was read: another word before it has nothing more to say
};

JoinedTexts read_concat(View text, std::size_t at, std::size_t behind, std::size_t limit);  ///< concat("a", "b")
JoinedTexts read_join(View text, std::size_t at, std::size_t behind, std::size_t limit);    ///< ["a", "b"].join("")
JoinedTexts read_format(View text, std::size_t at, std::size_t behind, std::size_t limit);  ///< "%s%s" % ("a", "b")
JoinedTexts read_operated(View text, std::size_t at, std::size_t limit);                    ///< "a" << "b"; at a quote

}  // namespace imgbuild
