#include "http/url.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "base/text.hpp"

namespace imgbuild {
namespace {

bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

Url parse_url(std::string_view text) {
  Url url;
  if (text.starts_with("https://"))
    text.remove_prefix(8);
  else if (text.starts_with("http://"))
    text.remove_prefix(7), url.tls = false;
  else
    throw Error("neither an http nor an https URL");
  if (!is_plain(text)) throw Error("a URL with a character that none may hold");
  text = text.substr(0, text.find('#'));
  const std::size_t end = std::min(text.find_first_of("/?"), text.size());
  std::string_view host = text.substr(0, end), port;
  url.target = std::string(text.substr(end));
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  if (host.find('@') != std::string_view::npos) throw Error("a URL with a user's name in it");
  if (host.starts_with('[')) {
    const std::size_t close = host.find(']');
    if (close == std::string_view::npos) throw Error("a URL without a host");
    port = host.substr(close + 1);
    host = host.substr(1, close - 1);
  } else if (const std::size_t colon = host.find(':'); colon != std::string_view::npos) {
    port = host.substr(colon);
    host = host.substr(0, colon);
  }
  url.host = lower(host);
  url.port = url.tls ? 443 : 80;
  if (!port.empty()) {
    port.remove_prefix(1);
    const auto [at, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (error != std::errc() || at != port.data() + port.size() || url.port == 0)
      throw Error("a URL with a wrong port");
  }
  if (url.host.empty()) throw Error("a URL without a host");
  return url;
}

Url resolve_url(const Url& from, std::string_view location) {
  if (location.starts_with("//")) return parse_url((from.tls ? "https:" : "http:") + std::string(location));
  if (!location.starts_with('/')) return parse_url(location);
  if (!is_plain(location)) throw Error("a URL with a character that none may hold");
  Url url = from;
  url.target = std::string(location.substr(0, location.find('#')));
  return url;
}

bool is_loopback(std::string_view host) {
  const std::string name = lower(host);
  if (name == "localhost" || name == "::1") return true;
  in_addr address{};
  return ::inet_pton(AF_INET, name.c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

}  // namespace imgbuild
