#pragma once
#include <map>
#include <string>
#include <string_view>

namespace imgbuild {

/// How a server wants to be shown who asks: the value of WWW-Authenticate (RFC 9110, section 11.6.1).
struct Challenge {
  std::string scheme;                             ///< in lower case: "bearer", "basic"
  std::map<std::string, std::string> parameters;  ///< names in lower case: "realm", "service", "scope"
  std::string parameter(const std::string& name) const;
};

/// The first challenge of the value that is "bearer", else the first that is "basic"; empty where there is neither.
Challenge parse_challenge(std::string_view value);

}  // namespace imgbuild
