#pragma once
#include <cstddef>
#include <optional>
#include <string_view>

namespace imgbuild {

/// A name and the value that a text gives it, in whatever language: NAME = "VALUE", "NAME": VALUE, <NAME>VALUE</NAME>,
/// setNAME("VALUE"), --NAME VALUE, name="NAME" value="VALUE", IDENTIFIED BY 'VALUE'. Views into the text.
struct Assignment {
  enum class How { assigned, argument, call, element, pair, flag, word, fallback };
  std::string_view name;   ///< all of it: "spring.datasource.password", "--db-password"
  std::string_view value;  ///< without its quotes
  How how = How::assigned;
  bool quoted = false;
  bool leads = false;     ///< the name is the first word of its line, as settings are
  bool ended = false;     ///< unquoted, and a semicolon ends it, as it does a statement
  bool followed = false;  ///< unquoted, and more words stand behind it on its line: prose, or an expression
};

/// Reads the assignment to the name that holds text[begin, end). nullopt: none is there. Linear in the line's length.
std::optional<Assignment> read_assignment(std::string_view text, std::size_t begin, std::size_t end);

}  // namespace imgbuild
