#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace imgbuild {

/// One way in which a value can stand in a text.
struct Form {
  std::string text;
  const char* name;  ///< "", "base64", "hex", "percent", "json", "shell"
};

/// The forms in which a value leaks, each text once, the value itself first. Texts of under 8 bytes are left out; of a
/// long one the first most_form bytes stand for it.
std::vector<Form> forms_of(std::string_view value);

inline constexpr std::size_t most_form = std::size_t{8} << 10;

}  // namespace imgbuild
