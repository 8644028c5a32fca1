// Where to look for a rule: its anchors, derived from the ways through its patterns (pattern.hpp).
//
// An anchor is the most telling word of a way, "ghp_" or "password": at most 16 bytes that stand at a known distance
// (or within a known range of distances) from where the match begins. Words are measured in bits, by how often their
// bytes occur in files: rare enough is enough, a longer one only costs. A word that is too common on its own ("AC", of
// Twilio's AC and 32 hex digits) takes as much of the fixed shape behind it as it needs.
//
// The first stage must not grow dear with the number of rules, so it is never asked for more than that (words.cpp).
#include "scan/anchors.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.hpp"
#include "base/text.hpp"
#include "scan/globs.hpp"
#include "scan/letters.hpp"
#include "scan/road_words.hpp"

namespace imgbuild {
namespace {

constexpr double rare_enough = 22;   // bits of a word that is looked for as it is
constexpr double shape_enough = 16;  // bits of a short word with the shape around it
constexpr double enough = 56;        // bits beyond which more bytes tell nothing
constexpr std::size_t most_word = 16, most_expression = 24;

double chance_of(const ByteSet& set) {
  double sum = 0;
  for (unsigned c = 0; c < 256; ++c) {
    if (!set[c]) continue;
    sum += c >= 'a' && c <= 'z'   ? 0.45 / 26
           : c >= 'A' && c <= 'Z' ? 0.12 / 26
           : c >= '0' && c <= '9' ? 0.12 / 10
                                  : 0.31 / 194;
  }
  return std::min(sum, 1.0);
}

// 'a', 'a' and 'A', or one of a few letters: what has few windows (words.hpp).
bool few_letters(const ByteSet& set) { return set.count() <= 6; }

bool one_letter(const ByteSet& set) {
  const std::size_t count = set.count(), first = set._Find_first();
  return count == 1 || (count == 2 && first >= 'A' && first <= 'Z' && set[first + 32]);
}

struct Position {
  ByteSet set;
  double bits = 0;
  std::uint32_t before_min = 0, before_max = 0;
  bool after_gap = false, boundary = false;
  std::size_t stretch = 0, into = 0;  // where it is from: the into'th byte of a stretch
};

// Words that nearly every file has, whatever their letters say: another word of the way tells more.
double bits_of_common(std::string_view word) {
  static constexpr std::string_view everywhere[] = {"auth", "from", "key",   "name", "set",
                                                    "type", "user", "value", "with"};
  static constexpr std::string_view words[] = {
      "access",   "account",  "agent",    "algorithm", "alias",    "authentication", "authorization", "basic",
      "class",    "client",   "config",   "connect",   "constant", "create",         "crypt",         "crypto",
      "data",     "database", "default",  "desktop",   "enable",   "encrypted",      "expect",        "host",
      "insert",   "length",   "level",    "local",     "login",    "operator",       "pass",          "passwd",
      "password", "printf",   "private",  "provider",  "quote",    "register",       "request",       "require",
      "secret",   "security", "select",   "server",    "session",  "string",         "system",        "timezone",
      "token",    "update",   "username", "values",    "where",    "world"};
  if (std::find(std::begin(everywhere), std::end(everywhere), word) != std::end(everywhere)) return 17;
  return std::find(std::begin(words), std::end(words), word) != std::end(words) ? 21 : 0;
}

// The bytes of a way that must be there. Behind a stretch of no fixed length, or a very long one, is a gap.
std::vector<Position> positions_of(const Way& way) {
  std::vector<Position> all;
  std::uint32_t before_min = 0, before_max = 0;
  bool gap = true;
  for (std::size_t s = 0; s < way.size(); ++s) {
    const auto& stretch = way[s];
    const std::uint32_t shown = std::min<std::uint32_t>(stretch.least, 64);
    const double bits = -std::log2(chance_of(stretch.set));
    for (std::uint32_t i = 0; i < shown; ++i) {
      all.push_back({stretch.set, bits, before_min + i, before_max + i, gap, stretch.boundary && i == 0, s, i});
      gap = false;
    }
    before_min += stretch.least;
    before_max += stretch.most;
    gap = gap || stretch.most != shown;
  }
  for (std::size_t i = 0; i < all.size();) {
    std::string word;
    std::size_t end = i;
    for (; end < all.size() && (end == i || !all[end].after_gap) && one_letter(all[end].set); ++end) {
      const auto letter = static_cast<char>(all[end].set._Find_first() | 32U);
      if (letter < 'a' || letter > 'z') break;
      word += letter;
    }
    const double common = bits_of_common(word);
    for (std::size_t j = i; common > 0 && j < end; ++j) all[j].bits = common / static_cast<double>(end - i);
    i = std::max(end, i + 1);
  }
  return all;
}

struct Chosen {
  std::size_t begin = 0, end = 0;  // positions
  double bits = 0;
};

// Where no word is: two rare bytes at a fixed distance, as the dots of a token of three parts.
Chosen with_punctuation(const std::vector<Position>& at) {
  Chosen best;
  for (std::size_t i = 0; i < at.size(); ++i) {
    if (!few_letters(at[i].set)) continue;
    double bits = at[i].bits;
    for (std::size_t j = i + 1; j < at.size() && j - i < most_word && !at[j].after_gap; ++j) {
      bits += at[j].bits;
      if (few_letters(at[j].set) && bits > best.bits) best = {i, j + 1, bits};
    }
  }
  return best.bits >= shape_enough ? best : Chosen{};
}

// The best word, grown by the shape around it where it needs that; bits 0 where the way has none.
Chosen choose(const std::vector<Position>& at) {
  Chosen word;
  for (std::size_t i = 0; i < at.size(); ++i) {
    double bits = 0;
    for (std::size_t j = i;
         j < at.size() && j - i < most_word && few_letters(at[j].set) && (j == i || !at[j].after_gap); ++j) {
      // A rule of dashes is no rare word: the same again tells little.
      bits += j > i && at[j].set == at[j - 1].set ? 1 : at[j].bits;
      if (bits > word.bits + 0.01) word = {i, j + 1, bits};
      if (bits >= enough) break;
    }
  }
  if (word.bits == 0) return {};
  const bool rare = word.bits >= rare_enough;
  const double wanted = rare ? rare_enough + 6 : enough;
  while (word.end < at.size() && !at[word.end].after_gap && word.bits < wanted &&
         word.end - word.begin < most_expression && at[word.end].bits >= 1.2)
    word.bits += at[word.end++].bits;
  while (word.begin > 0 && !at[word.begin].after_gap && word.bits < wanted && !rare &&
         word.end - word.begin < most_expression && at[word.begin - 1].bits >= 1.2)
    word.bits += at[--word.begin].bits;
  return word.bits >= shape_enough ? word : with_punctuation(at);
}

// Of a word that is rare by its letters alone, what is none at its ends is not looked for: more windows would stand for
// the same word. What is lost by that, the shape of the way says at once.
Chosen without_classes(const std::vector<Position>& at, const Chosen& chosen) {
  constexpr std::size_t least = 5;
  Chosen best;
  for (std::size_t i = chosen.begin; i < chosen.end;) {
    Chosen letters{i, i, 0};
    for (; letters.end < chosen.end && one_letter(at[letters.end].set); ++letters.end)
      letters.bits += at[letters.end].bits;
    if (letters.end - i >= least && letters.bits > best.bits) best = letters;
    i = std::max(letters.end, i + 1);
  }
  if (best.bits < rare_enough) return chosen;
  // The whole of the word.
  while (best.begin > 0 && best.end - best.begin < most_word && !at[best.begin].after_gap &&
         one_letter(at[best.begin - 1].set))
    --best.begin;
  while (best.end < at.size() && best.end - best.begin < most_word && !at[best.end].after_gap &&
         one_letter(at[best.end].set))
    ++best.end;
  return best;
}

std::string escaped(unsigned byte) {
  static constexpr char digits_[] = "0123456789abcdef";
  if ((byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_')
    return std::string(1, static_cast<char>(byte));
  return std::string("\\x") + digits_[byte >> 4] + digits_[byte & 15];
}

Words::Word word_of(const std::vector<Position>& at, const Chosen& chosen) {
  Words::Word word;
  for (std::size_t i = chosen.begin; i < chosen.end; ++i) word.push_back(at[i].set);
  return word;
}

ByteSet both_cases(char c) {
  ByteSet set;
  set.set(static_cast<unsigned char>(c));
  if (is_letter(c)) set.set(static_cast<unsigned char>(c) | 32U).set(static_cast<unsigned char>(c) & ~32U);
  return set;
}

Words::Word word_of(std::string_view text) {
  Words::Word word;
  for (const char c : text) word.push_back(both_cases(c));
  return word;
}

// A road's: a pattern with one way of a fixed width.
Words::Word word_of(const RoadWord& road) {
  Words::Word word;
  const PatternShape shape = read_pattern("(?i)" + std::string(road.text));
  for (const auto& stretch : shape.ways.front()) word.insert(word.end(), stretch.least, stretch.set);
  return word;
}

bool comes_before(const Words::Word& a, const Words::Word& b) {
  const auto less = [](const ByteSet& left, const ByteSet& right) {
    const ByteSet differing = left ^ right;
    return differing.any() && right[differing._Find_first()];
  };
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), less);
}

// The way from one of its positions on.
Way rest_of(const Way& way, const Position& from) {
  Way rest(way.begin() + static_cast<std::ptrdiff_t>(from.stretch), way.end());
  rest.front().least -= static_cast<std::uint32_t>(from.into);
  rest.front().most -= static_cast<std::uint32_t>(from.into);
  return rest;
}

}  // namespace

ScanPlan::ScanPlan(const std::vector<Rule>& rules) {
  std::map<Words::Word, std::vector<Anchor>, decltype(&comes_before)> by_word(&comes_before);
  std::map<std::string_view, std::vector<std::uint32_t>> whole_shapes;
  const auto add = [&](const Words::Word& word, const Anchor& anchor) { by_word[word].push_back(anchor); };
  for (std::uint32_t r = 0; r < rules.size(); ++r) {
    const Rule& rule = rules[r];
    for (std::uint32_t t = 0; t < rule.text.size(); ++t) {
      const std::string where = "rule " + rule.id + ": text " + std::to_string(t + 1);
      PatternShape shape;
      try {
        shape = read_pattern(rule.text[t]);
      } catch (const Error& e) {
        throw usage_error(where + ": " + e.what());
      }
      PlannedPattern planned{r, t, shape.width, false, {}, {}};
      const auto pattern = static_cast<std::uint32_t>(patterns.size());
      const auto add_shape = [&](const Way& way) {
        made_.emplace_back(way, shape.width);
        return static_cast<std::uint32_t>(made_.size() - 1);
      };
      std::vector<std::pair<std::vector<Position>, Chosen>> found;
      for (const auto& way : shape.ways) {
        found.emplace_back(positions_of(way), Chosen{});
        found.back().second = without_classes(found.back().first, choose(found.back().first));
      }
      // Few files have a name: better to try each byte of them than to look for a common word in all others.
      const bool anchored = !names_files(rule) && std::all_of(found.begin(), found.end(),
                                                              [](const auto& word) { return word.second.bits > 0; });
      for (std::size_t w = 0; anchored && w < found.size(); ++w) {
        const auto& [at, chosen] = found[w];
        const Position& begin = at[chosen.begin];
        const Way rest = rest_of(shape.ways[w], begin);
        const std::size_t known = std::min(chosen.end - chosen.begin, WayShape::known_positions(rest));
        add(word_of(at, chosen), {pattern, add_shape(rest), begin.before_min, begin.before_max, Anchor::Kind::word,
                                  begin.boundary, static_cast<std::uint8_t>(known)});
      }
      if (!anchored) {
        if (rule.near.empty() && rule.path.empty())
          throw usage_error(where + ": no word in it is rare enough to be looked for",
                            "give the rule `near` words, or `path` globs");
        planned.everywhere = rule.near.empty();
        for (const auto& word : rule.near) add(word_of(word), {pattern, 0, 0, 0, Anchor::Kind::near});
        // Services share a pattern: its shapes are made once.
        auto& whole = whole_shapes[rule.text[t]];
        if (whole.empty())
          for (const auto& way : shape.ways) whole.push_back(add_shape(way));
        planned.shapes = whole;
        for (unsigned c = 0; c < planned.first.size(); ++c)
          planned.first[c] = std::any_of(whole.begin(), whole.end(), [&](auto s) { return made_[s].may_begin(c); });
      }
      patterns.push_back(std::move(planned));
    }
  }
  // Beside the words of rules, those that say how the texts around them are put together.
  for (std::uint32_t w = 0; w < std::size(road_words) && !by_word.empty(); ++w)
    add(word_of(road_words[w]), {w, 0, 0, 0, Anchor::Kind::road});
  for (const auto& [word, list] : by_word) {
    words.push_back(word);
    first_anchor.push_back(static_cast<std::uint32_t>(anchors.size()));
    anchors.insert(anchors.end(), list.begin(), list.end());
  }
  first_anchor.push_back(static_cast<std::uint32_t>(anchors.size()));
  choices = Words::choose(words);
  shapes = made_;
}

std::string text_of(const Words::Word& word) {
  std::string text;
  for (const auto& set : word) {
    const auto first = static_cast<unsigned>(set._Find_first());
    if (set.count() == 1 || set == both_cases(static_cast<char>(first))) {
      text += escaped(first);
      continue;
    }
    text += '[';
    for (unsigned c = 0; c < 256; ++c) {
      if (!set[c]) continue;
      unsigned last = c;
      while (last + 1 < 256 && set[last + 1]) ++last;
      text += escaped(c);
      if (last > c) text += '-' + escaped(last);
      c = last;
    }
    text += ']';
  }
  return text;
}

}  // namespace imgbuild
