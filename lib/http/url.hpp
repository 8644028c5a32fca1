#pragma once
#include <string>
#include <string_view>

#include "http/client.hpp"

namespace imgbuild {

/// An http or https URL taken apart (RFC 3986).
struct Url {
  bool tls = true;
  std::string host;  ///< in lower case, without brackets
  std::uint16_t port = 0;
  std::string target;  ///< path and query, as they were written

  bool same_server(const Url& other) const { return tls == other.tls && host == other.host && port == other.port; }
};

/// Throws Error on anything else, on user information ("user:word@") and on what could end a request's line. The
/// message does not show the URL: it may hold a token.
Url parse_url(std::string_view text);

/// What `location` (of a redirect) means, seen from `from`: an absolute URL, or an absolute path.
Url resolve_url(const Url& from, std::string_view location);

/// Is it this machine, by name or address? ("localhost", 127.0.0.0/8, ::1)
bool is_loopback(std::string_view host);

}  // namespace imgbuild
