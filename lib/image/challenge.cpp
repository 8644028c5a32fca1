#include "image/challenge.hpp"

#include "base/text.hpp"

namespace imgbuild {
namespace {

bool is_token(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : left_(text) {}

  bool done() {
    skip(" \t,");
    return left_.empty();
  }
  void skip(std::string_view what) { left_.remove_prefix(std::min(left_.find_first_not_of(what), left_.size())); }
  std::string token() {
    std::size_t size = 0;
    while (size < left_.size() && is_token(left_[size])) ++size;
    const std::string word(left_.substr(0, size));
    left_.remove_prefix(size);
    return word;
  }
  bool take(char c) {
    if (!left_.starts_with(c)) return false;
    left_.remove_prefix(1);
    return true;
  }
  std::string value() {
    if (!take('"')) return token();
    std::string text;
    while (!left_.empty() && left_[0] != '"') {
      if (left_[0] == '\\' && left_.size() > 1) left_.remove_prefix(1);
      text += left_[0];
      left_.remove_prefix(1);
    }
    take('"');
    return text;
  }
  void drop() { left_.remove_prefix(1); }

 private:
  std::string_view left_;
};

}  // namespace

std::string Challenge::parameter(const std::string& name) const {
  const auto found = parameters.find(name);
  return found == parameters.end() ? std::string() : found->second;
}

Challenge parse_challenge(std::string_view value) {
  Challenge best, current;
  const auto keep = [&] {
    const bool better =
        current.scheme == "bearer" ? best.scheme != "bearer" : current.scheme == "basic" && best.scheme.empty();
    if (better) best = current;
  };
  Reader reader(value);
  while (!reader.done()) {
    const std::string word = reader.token();
    if (word.empty()) {
      reader.drop();
      continue;
    }
    reader.skip(" \t");
    if (reader.take('=')) {
      reader.skip(" \t");
      current.parameters.emplace(lower(word), reader.value());
    } else {
      keep();
      current = {lower(word), {}};
    }
  }
  keep();
  return best;
}

}  // namespace imgbuild
