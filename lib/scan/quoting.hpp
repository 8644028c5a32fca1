#pragma once
#include <cstddef>
#include <optional>
#include <string_view>

namespace imgbuild {

/// A text between marks that are no plain quotes: what stands between them, and the position behind the last mark.
struct QuotedText {
  std::string_view value;
  std::size_t end = 0;
};

/// Reads the text that begins at `at` with such marks: &quot;x&quot; of HTML, \"x\" of JSON in JSON, q(x) and %q{x} of
/// Perl and Ruby, r#"x"# of Rust and Swift, R"(x)" of C++, [[x]] of Lua, {x} of Tcl behind a blank, `x' of m4, and
/// <<EOT with a line and EOT behind it. Of one that ends within `longest` characters and on its line (a here document
/// on its next); nullopt: there is none. Room-internal.
std::optional<QuotedText> read_quoting(std::string_view text, std::size_t at, std::size_t longest);

}  // namespace imgbuild
