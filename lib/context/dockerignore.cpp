// .dockerignore as docker reads it (github.com/moby/patternmatcher, which BuildKit and the classic builder share).
//
// A pattern is Go's filepath.Match with `**`, anchored at the context's root. Patterns are asked in the order of the
// file and the last one that matches the path, or a folder that it lies in, decides; so a `!` pattern lets something
// back in below an ignored folder, unlike git's. Docker compiles patterns to regular expressions of four kinds, whose
// differences can be seen, and are kept here: "**x" is a bare suffix ("ax" too), "x**" a bare prefix, "a**b" is "a",
// any folders, "b"; a set may match '/'; what `**` skips has no newline. Elements are matched by stepping a set of
// states, so a hostile pattern costs its length times the path's.
#include "context/dockerignore.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"

namespace imgbuild {
namespace {

constexpr char32_t not_utf8 = 0xFFFD;

std::string_view trim_space(std::string_view text) {
  constexpr std::string_view blanks = " \t\n\v\f\r";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// filepath.Clean: no empty names, no ".", and ".." taken together with the name before it.
std::string clean(std::string_view path) {
  const bool rooted = path.starts_with('/');
  std::vector<std::string> names;
  for (auto& name : split(path, '/')) {
    if (name.empty() || name == ".") continue;
    if (name != "..")
      names.push_back(std::move(name));
    else if (!names.empty() && names.back() != "..")
      names.pop_back();
    else if (!rooted)
      names.push_back("..");
  }
  const std::string joined = (rooted ? "/" : "") + join(names, "/");
  return joined.empty() ? "." : joined;
}

// The character at the start of `text`, which is not empty, taken off it. Lenient only where it makes no difference:
// overlong forms and surrogates are no UTF-8.
char32_t take(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  const std::size_t length = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  char32_t code = length == 1 ? first : first & (0xFFu >> (length + 1));
  bool good = length != 0 && length <= text.size();
  for (std::size_t i = 1; good && i < length; ++i) {
    good = (byte(i) & 0xC0) == 0x80;
    code = code << 6 | (byte(i) & 0x3F);
  }
  constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  good = good && code >= least[length] && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
  text.remove_prefix(good ? length : 1);
  return good ? code : not_utf8;
}

// A character of a set, where '-' and ']' must be quoted; throws what Go's Match calls a bad pattern.
char32_t take_of_set(std::string_view& text) {
  if (text.empty() || text[0] == '-' || text[0] == ']') throw Error("bad set of characters");
  if (text[0] == '\\') text.remove_prefix(1);
  if (text.empty()) throw Error("nothing behind the backslash");
  return take(text);
}

}  // namespace

DockerIgnore::Pattern DockerIgnore::compile(std::string_view cleaned) {
  using Kind = Element::Kind;
  Pattern pattern;
  std::string_view left = cleaned;
  while (!left.empty()) {
    const bool first = left.size() == cleaned.size();
    if (left.starts_with("**")) {
      left.remove_prefix(2);
      if (left.starts_with('/')) left.remove_prefix(1);
      if (!left.empty()) {
        pattern.elements.push_back({Kind::folders});
        pattern.kind = Pattern::Kind::elements;
      } else if (pattern.kind == Pattern::Kind::exact) {
        pattern.kind = Pattern::Kind::prefix;
      } else {
        pattern.elements.push_back({Kind::rest});
        pattern.kind = Pattern::Kind::elements;
      }
      if (first) pattern.kind = Pattern::Kind::suffix;
      continue;
    }
    const char c = left[0];
    if (c == '*' || c == '?') {
      left.remove_prefix(1);
      pattern.elements.push_back({c == '*' ? Kind::star : Kind::any});
    } else if (c == '[') {
      left.remove_prefix(1);
      Element set{Kind::set};
      if (left.starts_with('^')) {
        set.negated = true;
        left.remove_prefix(1);
      }
      while (set.ranges.empty() || !left.starts_with(']')) {
        const char32_t low = take_of_set(left);
        char32_t high = low;
        if (left.starts_with('-')) {
          left.remove_prefix(1);
          high = take_of_set(left);
        }
        set.ranges.emplace_back(low, high);
      }
      left.remove_prefix(1);
      pattern.elements.push_back(std::move(set));
    } else if (c == '\\') {
      left.remove_prefix(1);
      if (left.empty()) throw Error("nothing behind the backslash");
      pattern.elements.push_back({Kind::one, take(left)});
    } else {
      pattern.elements.push_back({Kind::one, take(left)});
      continue;
    }
    pattern.kind = Pattern::Kind::elements;
  }
  if (pattern.kind == Pattern::Kind::prefix)
    pattern.text = cleaned.substr(0, cleaned.find("**"));
  else
    pattern.text = cleaned.substr(pattern.kind == Pattern::Kind::suffix ? 2 : 0);

  pattern.beginning = cleaned.substr(0, cleaned.find_first_of("*?[\\"));
  const std::size_t last_special = cleaned.find_last_of("*?[]\\/");
  if (last_special != cleaned.npos && cleaned[last_special] != '\\') pattern.ending = cleaned.substr(last_special + 1);
  const auto not_ascii = std::find_if(pattern.ending.rbegin(), pattern.ending.rend(),
                                      [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  pattern.ending.erase(pattern.ending.begin(), not_ascii.base());
  return pattern;
}

DockerIgnore DockerIgnore::parse(std::string_view text, const std::string& file) {
  DockerIgnore rules;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::size_t number = 0;
  for (const auto& line : split(text, '\n')) {
    ++number;
    std::string_view words = line;
    if (words.starts_with('#')) continue;
    words = trim_space(words);
    if (words.empty()) continue;
    const bool exception = words[0] == '!';
    if (exception) words = trim_space(words.substr(1));
    std::string cleaned = words.empty() ? "" : clean(words);
    if (cleaned.size() > 1 && cleaned[0] == '/') cleaned.erase(0, 1);
    try {
      if (exception && (cleaned.empty() || cleaned == "/")) throw Error("`!` without a pattern");
      rules.patterns_.push_back(compile(cleaned));
      rules.patterns_.back().exception = exception;
    } catch (const Error& error) {
      throw usage_error(file + ": line " + std::to_string(number) + ": " + error.what());
    }
  }
  return rules;
}

bool DockerIgnore::Pattern::matches(std::string_view path) const {
  switch (kind) {
    case Kind::exact:
      return path == text;
    case Kind::prefix:
      return path.starts_with(text);
    case Kind::suffix:
      // "**/x" is x at the top as well.
      return path.ends_with(text) || (text.starts_with('/') && path == std::string_view(text).substr(1));
    case Kind::elements:
      break;
  }
  if (!path.ends_with(ending)) return false;

  // State 2i: before element i. State 2i + 1: in the middle of what element i skips.
  using Step = Element::Kind;
  const std::size_t end = 2 * elements.size();
  std::vector<char> now(end + 1), next(end + 1);
  const auto enter = [&](std::vector<char>& states, std::size_t i) {
    for (;; ++i) {
      if (states[2 * i]) return;
      states[2 * i] = 1;
      if (i == elements.size()) return;
      const Step step = elements[i].kind;
      if (step != Step::star && step != Step::folders && step != Step::rest) return;
      states[2 * i + 1] = 1;  // they may also match nothing
    }
  };
  enter(now, 0);
  while (!path.empty()) {
    const char32_t c = take(path);
    std::fill(next.begin(), next.end(), char{0});
    for (std::size_t i = 0; i < elements.size(); ++i) {
      const Element& element = elements[i];
      bool passes = false;
      if (now[2 * i]) switch (element.kind) {
          case Step::one:
            passes = c == element.character;
            break;
          case Step::any:
            passes = c != '/';
            break;
          case Step::set: {
            const bool inside = std::any_of(element.ranges.begin(), element.ranges.end(),
                                            [&](const auto& range) { return range.first <= c && c <= range.second; });
            passes = inside != element.negated;
            break;
          }
          case Step::star:
          case Step::folders:
          case Step::rest:
            break;
        }
      if (now[2 * i + 1]) {
        const bool goes_on = element.kind == Step::star ? c != '/' : c != '\n';
        if (goes_on) next[2 * i + 1] = 1;
        passes = goes_on && (element.kind != Step::folders || c == '/');
      }
      if (passes) enter(next, i + 1);
    }
    now.swap(next);
  }
  return now[end] != 0;
}

bool DockerIgnore::ignores(std::string_view path, const Matched& parent, Matched& self) const {
  bool ignored = false;
  self.assign(patterns_.size(), false);
  for (std::size_t i = 0; i < patterns_.size(); ++i) {
    const Pattern& pattern = patterns_[i];
    bool matched = !parent.empty() && parent[i];
    // A pattern that could not change the verdict is not asked, and its content not told that it was.
    if (!matched) matched = pattern.exception == ignored && pattern.matches(path);
    self[i] = matched;
    if (matched) ignored = !pattern.exception;
  }
  return ignored;
}

bool DockerIgnore::ignores(std::string_view path) const {
  Matched above, self;
  for (std::size_t cut = path.find('/'); cut != path.npos; cut = path.find('/', cut + 1)) {
    ignores(path.substr(0, cut), above, self);
    above.swap(self);
  }
  return ignores(path, above, self);
}

bool DockerIgnore::may_return_below(std::string_view folder) const {
  const std::string inside = std::string(folder) + "/";
  return std::any_of(patterns_.begin(), patterns_.end(), [&](const Pattern& pattern) {
    return pattern.exception && (inside.starts_with(pattern.beginning) || pattern.beginning.starts_with(inside));
  });
}

}  // namespace imgbuild
