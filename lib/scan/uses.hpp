#pragma once
#include <vector>

#include "scan/definitions.hpp"

/// Where texts that have names are put together. As in lists.hpp: each function is given where a word stands, and how
/// far it may read. Room-internal.
namespace imgbuild {

/// What is put together there, in its order.
struct Use {
  struct Operand {
    NameUse name;  ///< its name is empty: a literal, or nothing that can be known
    Part literal{0, 0};
  };
  std::vector<Operand> operands;
  std::size_t begin = 0;  ///< of the whole
  std::size_t end = 0;    ///< how far was read
  bool bare = false;      ///< names may have texts without quotes
  bool whole = false;     ///< nothing else belongs to it
  /// Could parts of a secret come together, one of them under a name? Cheap.
  bool joins(View text) const;
};

Use read_sum(View text, std::size_t at, std::size_t limit);                             ///< a + b, $a . $b
Use read_template(View text, std::size_t at, std::size_t limit);                        ///< "$a${b}", f"{a}{b}", %a%%b%
Use read_named_format(View text, std::size_t at, std::size_t limit);                    ///< "%s%s" % (a, b)
Use read_named_join(View text, std::size_t at, std::size_t behind, std::size_t limit);  ///< [a, b].join("")
Use read_named_concat(View text, std::size_t at, std::size_t behind, std::size_t limit);  ///< a.concat(b), concat(a, b)
Use read_named_append(View text, std::size_t at, std::size_t limit);                      ///< .append(a).append(b)

}  // namespace imgbuild
