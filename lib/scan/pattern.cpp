// Reads a regular expression for what every match of it must look like. RE2 shows nobody its syntax tree, and two
// questions have to be answered before it is asked: where can a match be (anchors.cpp), and can it be there at all
// (shape.hpp).
//
// A pattern is spread out into the ways through it: `a(?:b|c)d` is abd and acd. Each way is a list of stretches, "so
// many bytes of this set". Where spreading out would give more than `most_ways`, or where an alternative has no word
// worth looking for, the alternative becomes one stretch over the union of its bytes: wider than the truth, never
// narrower. The ways are used to reject; what they let through RE2 decides.
#include "scan/pattern.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t most_ways = 64;
constexpr int most_depth = 64;

ByteSet range(unsigned from, unsigned to) {
  ByteSet set;
  for (unsigned c = from; c <= to; ++c) set.set(c);
  return set;
}
const ByteSet digits = range('0', '9');
const ByteSet words = range('0', '9') | range('a', 'z') | range('A', 'Z') | range('_', '_');
const ByteSet blanks = range(9, 10) | range(12, 13) | range(' ', ' ');

ByteSet both_cases(ByteSet set) {
  for (unsigned c = 'a'; c <= 'z'; ++c)
    if (set[c] || set[c - 32]) set.set(c).set(c - 32);
  return set;
}

ByteSet posix_class(std::string_view name) {
  if (name == "alnum") return words & ~range('_', '_');
  if (name == "alpha") return range('a', 'z') | range('A', 'Z');
  if (name == "ascii") return range(0, 127);
  if (name == "blank") return range(9, 9) | range(' ', ' ');
  if (name == "cntrl") return range(0, 31) | range(127, 127);
  if (name == "digit") return digits;
  if (name == "graph") return range('!', '~');
  if (name == "lower") return range('a', 'z');
  if (name == "print") return range(' ', '~');
  if (name == "punct") return range('!', '/') | range(':', '@') | range('[', '`') | range('{', '~');
  if (name == "space") return range(9, 13) | range(' ', ' ');
  if (name == "upper") return range('A', 'Z');
  if (name == "word") return words;
  if (name == "xdigit") return digits | range('a', 'f') | range('A', 'F');
  throw Error("unknown character class");
}

// A part of a pattern, spread out.
struct Spread {
  std::vector<Way> ways{Way{}};
  bool boundary_open = false;  // `\b` stands at its end: it belongs to what follows
};

std::uint32_t least_of(const Way& way) {
  std::uint64_t sum = 0;
  for (const auto& stretch : way) sum += stretch.least;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(sum, most_width + 1));
}
std::uint32_t most_of(const Way& way) {
  std::uint64_t sum = 0;
  for (const auto& stretch : way) sum += stretch.most;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(sum, most_width + 1));
}

// All ways as one stretch. Empty where they all are empty.
Way blurred(const std::vector<Way>& ways) {
  Stretch all{{}, most_width, 0, false};
  for (const auto& way : ways) {
    for (const auto& stretch : way) all.set |= stretch.set;
    all.least = std::min(all.least, least_of(way));
    all.most = std::max(all.most, most_of(way));
  }
  return all.most == 0 ? Way{} : Way{all};
}

// Does every way hold a word of two letters or more? Only then is it worth keeping them apart.
bool telling(const std::vector<Way>& ways) {
  return std::all_of(ways.begin(), ways.end(), [](const Way& way) {
    std::uint32_t run = 0;
    return std::any_of(way.begin(), way.end(), [&](const Stretch& stretch) {
      run = stretch.set.count() <= 2 && stretch.least == stretch.most ? run + stretch.least : 0;
      return run >= 2;
    });
  });
}

class Reader {
 public:
  explicit Reader(std::string_view pattern) : left_(pattern) {}

  PatternShape read() {
    Spread all = alternatives(0);
    if (!left_.empty()) throw Error("a ')' without '('");
    PatternShape shape;
    for (auto& way : all.ways) {
      shape.width = std::max(shape.width, most_of(way));
      shape.ways.push_back(std::move(way));
    }
    if (shape.width > most_width) throw Error("wider than " + std::to_string(most_width) + " bytes");
    if (shape.width == 0) throw Error("matches nothing but the empty text");
    return shape;
  }

 private:
  bool take(std::string_view text) {
    if (left_.substr(0, text.size()) != text) return false;
    left_.remove_prefix(text.size());
    return true;
  }
  char next() {
    if (left_.empty()) throw Error("ends too early");
    const char c = left_.front();
    left_.remove_prefix(1);
    return c;
  }

  Spread alternatives(int depth) {
    if (depth > most_depth) throw Error("nested too deeply");
    const bool caseless = caseless_, dot_all = dot_all_;
    Spread all = sequence(depth);
    while (take("|")) {
      Spread more = sequence(depth);
      all.boundary_open = false;
      all.ways.insert(all.ways.end(), std::make_move_iterator(more.ways.begin()),
                      std::make_move_iterator(more.ways.end()));
      // At the outermost level each alternative is a pattern of its own; the caller may have as many as it wrote.
      if (depth > 0 && all.ways.size() > most_ways) all.ways = {blurred(all.ways)};
    }
    caseless_ = caseless;
    dot_all_ = dot_all;
    return all;
  }

  Spread sequence(int depth) {
    Spread all;
    while (!left_.empty() && left_.front() != '|' && left_.front() != ')') {
      Spread part = repeated(depth);
      if (all.ways.size() * part.ways.size() > most_ways) part.ways = {blurred(part.ways)};
      if (all.boundary_open)
        for (auto& way : part.ways)
          if (!way.empty()) way.front().boundary = true;
      const bool nothing = std::all_of(part.ways.begin(), part.ways.end(), [](const Way& way) { return way.empty(); });
      all.boundary_open = part.boundary_open || (nothing && all.boundary_open);
      std::vector<Way> joined;
      joined.reserve(all.ways.size() * part.ways.size());
      for (const auto& head : all.ways)
        for (const auto& tail : part.ways) {
          joined.push_back(head);
          joined.back().insert(joined.back().end(), tail.begin(), tail.end());
          if (joined.back().size() > most_width) throw Error("wider than " + std::to_string(most_width) + " bytes");
        }
      all.ways = std::move(joined);
    }
    return all;
  }

  Spread repeated(int depth) {
    Spread part = atom(depth);
    for (;;) {
      std::uint32_t least = 1, most = 1;
      if (take("?")) {
        least = 0;
      } else if (!left_.empty() && (left_.front() == '*' || left_.front() == '+')) {
        throw Error("a repetition without an upper bound");
      } else if (!counted(least, most)) {
        return part;
      }
      take("?");  // lazy: the same texts
      part = times(std::move(part), least, most);
    }
  }

  // "{n}", "{n,m}"; anything else after '{' is a literal brace, as RE2 has it.
  bool counted(std::uint32_t& least, std::uint32_t& most) {
    if (left_.empty() || left_.front() != '{') return false;
    const std::size_t end = left_.find('}');
    if (end == std::string_view::npos) return false;
    const std::string_view body = left_.substr(1, end - 1);
    const std::size_t comma = body.find(',');
    const auto number = [](std::string_view text, std::uint32_t& value) {
      if (text.empty() || text.size() > 4) return false;
      value = 0;
      for (const char c : text) {
        if (c < '0' || c > '9') return false;
        value = value * 10 + static_cast<std::uint32_t>(c - '0');
      }
      return true;
    };
    std::uint32_t low = 0, high = 0;
    if (!number(body.substr(0, comma), low)) return false;
    high = low;
    if (comma != std::string_view::npos) {
      if (comma + 1 == body.size()) throw Error("a repetition without an upper bound");
      if (!number(body.substr(comma + 1), high)) return false;
    }
    if (high < low) throw Error("a repetition whose bounds are the wrong way round");
    left_.remove_prefix(end + 1);
    least = low;
    most = high;
    return true;
  }

  static Spread times(Spread part, std::uint32_t least, std::uint32_t most) {
    part.boundary_open = false;
    if (least == 1 && most == 1) return part;
    if (part.ways.size() == 1 && part.ways[0].size() == 1 && part.ways[0][0].least == 1 && part.ways[0][0].most == 1) {
      part.ways[0][0].least = least;
      part.ways[0][0].most = most;
      if (least == 0) part.ways[0][0].boundary = false;
      if (most == 0) part.ways[0].clear();
      return part;
    }
    if (least == 0 && most == 1 && part.ways.size() < most_ways && telling(part.ways)) {
      part.ways.emplace_back();  // with it, and without
      return part;
    }
    if (least == most && most >= 2 && most <= 8 && part.ways.size() == 1) {
      const Way once = part.ways[0];
      for (std::uint32_t i = 1; i < most; ++i) part.ways[0].insert(part.ways[0].end(), once.begin(), once.end());
      return part;
    }
    Way all = blurred(part.ways);
    if (!all.empty()) {
      const auto product = [](std::uint64_t a, std::uint64_t b) {
        return static_cast<std::uint32_t>(std::min<std::uint64_t>(a * b, most_width + 1));
      };
      all[0].least = product(all[0].least, least);
      all[0].most = product(all[0].most, most);
      if (all[0].most == 0) all.clear();
    }
    part.ways = {all};
    return part;
  }

  Spread of_set(ByteSet set) const {
    Spread part;
    part.ways = {Way{Stretch{caseless_ ? both_cases(set) : set, 1, 1, false}}};
    return part;
  }

  Spread atom(int depth) {
    const char c = next();
    switch (c) {
      case '(':
        return group(depth);
      case '[':
        return of_set(set_of_class());
      case '.':
        return of_set(dot_all_ ? ByteSet().set() : ~range('\n', '\n'));
      case '^':
      case '$':
        return {};
      case '\\':
        return escape();
      default:
        return of_set(ByteSet().set(static_cast<unsigned char>(c)));
    }
  }

  Spread group(int depth) {
    const bool caseless = caseless_, dot_all = dot_all_;
    if (take("?P<") || take("?<")) {
      while (next() != '>') {
      }
    } else if (take("?")) {
      bool value = true;
      for (char c = next(); c != ':'; c = next()) {
        if (c == ')') return {};  // flags for the rest of the enclosing group, which puts them back
        if (c == '-')
          value = false;
        else if (c == 'i')
          caseless_ = value;
        else if (c == 's')
          dot_all_ = value;
        else if (c != 'm' && c != 'U')
          throw Error("an unknown flag");
      }
    }
    Spread inside = alternatives(depth + 1);
    if (!take(")")) throw Error("a '(' without ')'");
    caseless_ = caseless;
    dot_all_ = dot_all;
    if (inside.ways.size() > 1 && !telling(inside.ways)) inside.ways = {blurred(inside.ways)};
    return inside;
  }

  Spread escape() {
    const char c = next();
    switch (c) {
      case 'b': {
        Spread part;
        part.boundary_open = true;
        return part;
      }
      case 'B':
      case 'A':
      case 'z':
        return {};
      case 'Q': {
        const std::size_t end = std::min(left_.find("\\E"), left_.size());
        Spread part;
        for (const char quoted : left_.substr(0, end))
          part.ways[0].push_back(of_set(ByteSet().set(static_cast<unsigned char>(quoted))).ways[0][0]);
        left_.remove_prefix(std::min(end + 2, left_.size()));
        return part;
      }
      default:
        return of_set(escaped_set(c));
    }
  }

  // The set of an escape that stands for bytes, inside a class or outside.
  ByteSet escaped_set(char c) {
    const auto one = [](unsigned char byte) { return ByteSet().set(byte); };
    switch (c) {
      case 'd':
        return digits;
      case 'D':
        return ~digits;
      case 'w':
        return words;
      case 'W':
        return ~words;
      case 's':
        return blanks;
      case 'S':
        return ~blanks;
      case 'a':
        return one(7);
      case 'f':
        return one(12);
      case 'n':
        return one(10);
      case 'r':
        return one(13);
      case 't':
        return one(9);
      case 'v':
        return one(11);
      case 'x':
        return one(hex_byte());
      default:
        if (words[static_cast<unsigned char>(c)]) throw Error("an unknown escape");
        return one(static_cast<unsigned char>(c));
    }
  }

  unsigned char hex_byte() {
    const bool braces = take("{");
    unsigned value = 0;
    int count = 0;
    for (; braces ? !take("}") : count < 2; ++count) {
      const char c = next();
      const unsigned digit = c >= '0' && c <= '9'   ? c - '0'
                             : c >= 'a' && c <= 'f' ? c - 'a' + 10
                             : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                    : 256;
      value = value * 16 + digit;
      if (digit > 15 || value > 255) throw Error("a \\x that is no byte");
    }
    if (count == 0) throw Error("a \\x that is no byte");
    return static_cast<unsigned char>(value);
  }

  ByteSet set_of_class() {
    const bool negated = take("^");
    ByteSet set;
    for (bool first = true; first || !take("]"); first = false) {
      if (take("[:")) {
        const std::size_t end = left_.find(":]");
        if (end == std::string_view::npos) throw Error("an unknown character class");
        std::string_view name = left_.substr(0, end);
        const bool inverse = !name.empty() && name.front() == '^';
        if (inverse) name.remove_prefix(1);
        set |= inverse ? ~posix_class(name) : posix_class(name);
        left_.remove_prefix(end + 2);
        continue;
      }
      const ByteSet from = class_item();
      if (from.count() == 1 && left_.size() >= 2 && left_[0] == '-' && left_[1] != ']') {
        left_.remove_prefix(1);
        const ByteSet to = class_item();
        if (to.count() != 1 || to._Find_first() < from._Find_first()) throw Error("a bad range in a class");
        set |= range(static_cast<unsigned>(from._Find_first()), static_cast<unsigned>(to._Find_first()));
      } else {
        set |= from;
      }
    }
    if (caseless_) set = both_cases(set);
    return negated ? ~set : set;
  }
  ByteSet class_item() {
    const char c = next();
    return c == '\\' ? escaped_set(next()) : ByteSet().set(static_cast<unsigned char>(c));
  }

  std::string_view left_;
  bool caseless_ = false, dot_all_ = false;
};

}  // namespace

PatternShape read_pattern(std::string_view pattern) { return Reader(pattern).read(); }

}  // namespace imgbuild
