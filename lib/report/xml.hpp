#pragma once
#include <string>
#include <string_view>

namespace imgbuild {

/// The text for an element or a quoted attribute of XML 1.0 or HTML: the five marks become entities, and what XML 1.0
/// cannot hold in any form (control characters, U+FFFE, bytes that are not UTF-8) U+FFFD. Line feeds stay.
std::string xml_text(std::string_view text);

}  // namespace imgbuild
