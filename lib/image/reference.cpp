#include "image/reference.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"

namespace imgbuild {
namespace {

bool made_of(std::string_view text, std::string_view more) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           more.find(c) != std::string_view::npos;
  });
}

}  // namespace

bool is_image_id(const std::string& name) {
  return name.size() == 71 && name.starts_with("sha256:") && made_of(std::string_view(name).substr(7), "") &&
         unhex(std::string_view(name).substr(7)).has_value();
}

std::string Reference::registry() const {
  const std::size_t slash = repository.find('/');
  const std::string first = repository.substr(0, slash);
  const bool host =
      slash != std::string::npos && (first.find_first_of(".:") != std::string::npos || first == "localhost");
  return host ? first : "docker.io";
}

Reference parse_reference(const std::string& name) {
  const auto wrong = [&](const char* why) {
    return usage_error("\"" + printable(name.substr(0, 300)) + "\" is no image name: " + why,
                       "write it as NAME[:TAG], for instance registry.example/team/app:1.0");
  };
  Reference reference;
  std::string rest = name;
  if (const std::size_t sign = rest.find('@'); sign != std::string::npos) {
    reference.digest = rest.substr(sign + 1);
    rest.resize(sign);
    if (!is_image_id(reference.digest)) throw wrong("what follows '@' is no sha256 digest");
  }
  const std::size_t slash = rest.rfind('/'), colon = rest.rfind(':');
  if (colon != std::string::npos && (slash == std::string::npos || colon > slash)) {
    reference.tag = rest.substr(colon + 1);
    rest.resize(colon);
    if (!made_of(reference.tag, "_.-") || reference.tag.size() > 128 || reference.tag[0] == '.' ||
        reference.tag[0] == '-')
      throw wrong("its tag is no word");
  }
  const auto parts = split(rest, '/');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    // Only the first part can be a host, which may have a port, or be an address in brackets.
    if (!made_of(parts[i], i == 0 && parts.size() > 1 ? "._-:[]" : "._-")) throw wrong("it has a part that is no word");
    if (parts[i].find_first_not_of('.') == std::string::npos) throw wrong("it has a part of dots");
  }
  reference.repository = rest;
  return reference;
}

}  // namespace imgbuild
