#pragma once
#include <cstddef>

#include "scan/lists.hpp"

/// How a text grows from statement to statement. As in lists.hpp. Room-internal.
namespace imgbuild {

JoinedTexts read_append(View text, std::size_t at, std::size_t behind,
                        std::size_t limit);                            ///< b.append("a").append("b")
JoinedTexts read_more(View text, std::size_t at, std::size_t limit);   ///< x = "a"; x += "b"
JoinedTexts read_batch(View text, std::size_t at, std::size_t limit);  ///< set x=a, set x=%x%b

}  // namespace imgbuild
