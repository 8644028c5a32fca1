#pragma once
#include <memory>
#include <random>
#include <string>

#include "base/bytes.hpp"
#include "scan/scanner.hpp"

namespace imgbuild::test {

/// Small families of our own: these tests are about how rules are looked for, not about what we know.
inline const char* const family = R"(
[[rule]]
id = "acme.token"
says = "an acme token"
text = ['''\b(acme_[A-Za-z0-9]{24})\b''']
leak = ["acme_{{}}R2vRvEBmS3cHhKHq9ZlkVGPm"]
safe = ["acme_short"]
[[rule]]
id = "acme.assigned"
says = "a value that is assigned"
text = ['''[A-Za-z_]{0,20}(?i:passphrase|secret)["']?\s{0,4}[=:]\s{0,4}["']([^"'\s]{8,64})["']''']
entropy = 2.5
leak = ['''secret = "k2J{{}}s9Qw7Zp"''']
safe = ['''secret = ""''']
[[rule]]
id = "acme.shapeless"
says = "hex digits near a word"
text = ['''\b([0-9a-f]{32})\b''']
near = ["acmecorp"]
leak = ["acmecorp key 0f1e2d3c4b5a69788796a5b4c3d2e1f0"]
safe = ["some other key 0f1e2d3c4b5a69788796a5b4c3d2e1f0"]
[[rule]]
id = "acme.login"
says = "a password in an acme login file"
text = ['''\b([A-Za-z]{4}[0-9]{4}[a-z]{4})\b''']
path = ["**/.acmerc"]
leak = ["qWeR8362plok"]
safe = ["qWeR"]
[[rule]]
id = "acme.store"
says = "an acme key store"
path = ["**/*.acmekeys"]
leak = ["etc/a.acmekeys"]
safe = ["etc/a.keys"]
)";

inline const char* const generic_family = R"(
[[rule]]
id = "generic.value"
says = "something assigned"
text = ['''(?i:token|secret)\s{0,4}=\s{0,4}["']([^"'\s]{8,200})["']''']
leak = ['''token = "k2J{{}}s9Qw7Zp"''']
safe = ['''token = ""''']
)";

inline std::shared_ptr<const Scanner> scanner() {
  static const auto one = [] {
    auto rules = read_rules(family, "acme.toml");
    for (auto& rule : read_rules(generic_family, "generic.toml")) rules.push_back(rule);
    return Scanner::of(rules);
  }();
  return one;
}

inline std::string random_word(std::mt19937& dice, std::size_t length) {
  static constexpr char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::string out;
  for (std::size_t i = 0; i < length; ++i) out += letters[dice() % 62];
  return out;
}
inline std::string token(std::mt19937& dice) { return std::string("acme") + "_" + random_word(dice, 24); }

/// A hit as text, to compare and to print.
inline std::string shown(const Hit& hit) {
  std::string out = hit.rule->id + " " + std::to_string(hit.begin) + "-" + std::to_string(hit.end) + " line " +
                    std::to_string(hit.line) + " " + hit.value_name;
  for (const auto& encoding : hit.decoded) out += " " + encoding;
  return out;
}
inline std::vector<std::string> shown(const std::vector<Hit>& hits) {
  std::vector<std::string> out;
  for (const auto& hit : hits) out.push_back(shown(hit));
  return out;
}

}  // namespace imgbuild::test
