#include "base/percent.hpp"

#include "base/text.hpp"

namespace imgbuild {

std::string percent_decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = text[i] == '%' && i + 2 < text.size() ? unhex(text.substr(i + 1, 2)) : std::nullopt;
    if (byte) i += 2;
    plain += byte ? static_cast<char>((*byte)[0]) : text[i];
  }
  return plain;
}

}  // namespace imgbuild
