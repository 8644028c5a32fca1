#include "report/xml.hpp"

#include "base/text.hpp"

namespace imgbuild {

std::string xml_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::string_view one = text.substr(0, length == 0 ? 1 : length);
    const auto byte = static_cast<unsigned char>(one[0]);
    if (one == "&")
      out += "&amp;";
    else if (one == "<")
      out += "&lt;";
    else if (one == ">")
      out += "&gt;";
    else if (one == "\"")
      out += "&quot;";
    else if (one == "'")
      out += "&#39;";
    else if (length == 0 || (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7F || one == "\uFFFE" ||
             one == "\uFFFF")
      out += "\uFFFD";
    else
      out += one;
    text.remove_prefix(one.size());
  }
  return out;
}

}  // namespace imgbuild
