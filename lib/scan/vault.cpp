#include "scan/vault.hpp"

#include <algorithm>
#include <atomic>
#include <unordered_map>
#include <unordered_set>

#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "scan/proof.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t least_value = 8;

// Values of eight bytes and more that stand in files for other reasons than that somebody leaked them.
constexpr std::string_view common_words[] = {
    "password",     "passw0rd",   "password1",  "password12",   "password123",   "12345678",      "123456789",
    "1234567890",   "01234567",   "0123456789", "87654321",     "qwertyui",      "qwertyuiop",    "qwerty123",
    "asdfghjk",     "asdfghjkl",  "iloveyou",   "sunshine",     "princess",      "football",      "baseball",
    "superman",     "trustno1",   "letmein1",   "welcome1",     "changeme",      "changeit",      "changeme1",
    "default1",     "secret12",   "secret123",  "supersecret",  "topsecret",     "administrator", "username",
    "localhost",    "undefined",  "required",   "anonymous",    "database",      "postgres",      "postgresql",
    "mongodb0",     "rabbitmq",   "developer",  "development",  "production",    "staging1",      "testtest",
    "test1234",     "testing1",   "testpass",   "testpassword", "example1",      "example.com",   "redacted",
    "placeholder",  "disabled",   "enabled1",   "internal",     "external",      "security",      "computer",
    "internet",     "whatever",   "abcdefgh",   "abcd1234",     "abc12345",      "11111111",      "00000000",
    "xxxxxxxx",     "notasecret", "insecure",   "credentials",  "authorization", "token123",      "accesstoken",
    "access_token", "api_key1",   "mypassword", "mysecret",     "yourpassword",  "your_password", "password!",
    "passwort",     "geheim123",  "motdepasse", "contraseña"};

bool is_url(std::string_view word) {
  const std::size_t scheme = word.find("://");
  return scheme != std::string_view::npos && word.find('@') == std::string_view::npos;
}

// Could this be a secret, and nothing that a configuration file of its kind always says? Letters of both cases, or a
// letter and a digit, in one word, and no pattern to it.
bool looks_secret(std::string_view word) {
  if (word.size() < least_value || is_url(word)) return false;
  bool low = false, high = false, digit = false;
  for (const char c : word) {
    low = low || (c >= 'a' && c <= 'z');
    high = high || (c >= 'A' && c <= 'Z');
    digit = digit || (c >= '0' && c <= '9');
  }
  return (low + high + digit) >= 2 && entropy_of(word) >= 3.0;
}

// Is `test` true of a word of the line?
template <class Test>
bool any_word(std::string_view line, Test test) {
  constexpr std::string_view between = " \t\"',=";
  for (std::size_t from = 0; from < line.size();) {
    const std::size_t begin = std::min(line.find_first_not_of(between, from), line.size());
    from = std::min(line.find_first_of(between, begin), line.size());
    if (test(line.substr(begin, from - begin))) return true;
  }
  return false;
}

// Armour, comments and headings: what a file of its format always holds would be found everywhere, and says nothing.
bool is_frame(std::string_view line) {
  return line.starts_with("-----") || line.front() == '#' || line.front() == ';' ||
         (line.front() == '[' && line.back() == ']');
}

// A line of a secret that has several.
bool line_counts(std::string_view line) {
  if (line.size() < least_value || is_weak(line) || is_frame(line)) return false;
  const bool several = any_word(line, [&](std::string_view word) { return word.size() < line.size(); });
  return several ? any_word(line, looks_secret) : !is_url(line);
}

}  // namespace

struct Vault::Inside {
  struct Entry {
    std::string_view value;
    std::string name;
    Origin origin;
    Identity identity;
  };
  mutable std::mutex mutex;
  std::vector<Secret> secrets;
  std::vector<Entry> entries;
  std::unordered_set<std::string_view> known[2];  // parts, by origin: found, and the others
  std::unordered_map<std::string, std::string_view> by_identity;
  std::atomic<std::size_t> version{0};
  std::shared_ptr<const ValueMatcher> matcher;
  std::size_t matcher_version = 0;
};

Vault::Vault() : inside_(std::make_unique<Inside>()) {}
Vault::~Vault() = default;

void Vault::add(std::string_view value, const std::string& name, Origin origin) {
  if (value.empty()) return;
  const std::lock_guard hold(inside_->mutex);
  auto& known = inside_->known[origin == Origin::found ? 0 : 1];
  const Identity identity = identify(value);
  auto [kept, fresh] = inside_->by_identity.try_emplace(identity.text);
  if (fresh) kept->second = inside_->secrets.emplace_back(value).reveal();
  const std::string_view whole = kept->second;
  if (known.count(whole) != 0) return;  // also as a part of another: its identity is known from here on
  const auto part = [&](std::string_view text) {
    if (text.size() < least_value || is_weak(text) || !known.insert(text).second) return;
    inside_->entries.push_back({text, name, origin, identity});
    ++inside_->version;
  };
  part(whole);
  const std::string_view trimmed = trim(whole);
  part(trimmed);
  if (trimmed.find('\n') == std::string_view::npos) return;
  for (std::size_t from = 0; from < whole.size();) {
    const std::size_t end = std::min(whole.find('\n', from), whole.size());
    const std::string_view line = trim(whole.substr(from, end - from));
    if (!line.empty() && line_counts(line)) part(line);
    from = end + 1;
  }
}

Identity Vault::identify(std::string_view value) {
  static const std::array<std::uint8_t, 32> key = [] {
    std::array<std::uint8_t, 32> bytes{};
    random_bytes(bytes);
    return bytes;
  }();
  return {"hmac:" + hex(hmac_sha256(key, view_of(value)))};
}

std::string_view Vault::value_of(const Identity& identity) const {
  const std::lock_guard hold(inside_->mutex);
  const auto found = inside_->by_identity.find(identity.text);
  return found == inside_->by_identity.end() ? std::string_view() : found->second;
}

std::vector<Vault::Part> Vault::parts() const {
  const std::lock_guard hold(inside_->mutex);
  std::vector<Part> all;
  all.reserve(inside_->entries.size());
  for (const auto& entry : inside_->entries) all.push_back({entry.value, entry.name, entry.origin, entry.identity});
  return all;
}

std::size_t Vault::version() const { return inside_->version.load(); }

std::shared_ptr<const ValueMatcher> Vault::matcher() const {
  const std::size_t now = version();
  {
    const std::lock_guard hold(inside_->mutex);
    if (inside_->matcher && inside_->matcher_version >= now) return inside_->matcher;
  }
  auto made = std::make_shared<const ValueMatcher>(
      *this, std::vector<Origin>{Origin::handed_out, Origin::withheld, Origin::found});
  const std::lock_guard hold(inside_->mutex);
  inside_->matcher = made;
  inside_->matcher_version = now;
  return made;
}

bool may_hold_secret(std::string_view line) {
  if (line.size() < least_value || is_frame(line)) return false;
  // Neither a path, nor a host or a version ("proxy1.example:3128", "python3.11").
  return any_word(line, [](std::string_view word) {
    const bool named = word.find('.') != std::string_view::npos && std::all_of(word.begin(), word.end(), [](char c) {
                         return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':';
                       });
    return !named && !word.starts_with('/') && !word.starts_with("~/") && looks_secret(word);
  });
}

bool is_weak(std::string_view value) {
  if (value.size() < least_value) return true;
  const std::string word = lower(value);
  if (std::find(std::begin(common_words), std::end(common_words), word) != std::end(common_words)) return true;
  return std::all_of(value.begin(), value.end(), [&](char c) { return c == value.front(); });
}

}  // namespace imgbuild
