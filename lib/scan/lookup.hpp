#pragma once
#include <string_view>

/// What code and pages say of a value that stands elsewhere. Room-internal.
namespace imgbuild {

/// Does an expression, up to its first quote, look something up ("os.environ.get(", "t(", "config[")? Then the text in
/// the quotes is the name of the secret, not the secret.
bool is_lookup(std::string_view expression);

/// Is a tag, from its name on, one of HTML that holds text for people (h1 to h6, label, td...)?
bool is_of_a_page(std::string_view tag);

}  // namespace imgbuild
