// How much a text is like words: by the pairs of letters in it.
//
// Of two letters in a row, how much more often than chance do they follow each other in words? A digit for each pair,
// 5 where chance would have it, each step a factor of 1.74; counted over 41,000 words of documentation and names of
// programs. The mean over eight letters is above 4.7 for 49 words of 50, and below 5.1 for 19 random texts of 20.
#include "scan/wordlike.hpp"

#include <algorithm>
#include <cmath>

#include "scan/letters.hpp"

namespace imgbuild {
namespace {

constexpr std::string_view pairs[26] = {
    "35663341503757050767432231",  // a
    "75557431742742640663620241",  // b
    "73547317506632830546520020",  // c
    "75459432811433630553522030",  // d
    "53674441302657242876243530",  // e
    "64557720800633730655601030",  // f
    "62448345600646640764521022",  // g
    "82238111702444721545503040",  // h
    "55655450002658640566140304",  // i
    "83447322634344842363713020",  // j
    "73349343712534630464513040",  // k
    "72358321802722730155520060",  // l
    "85338210702452770253520020",  // m
    "62677572604324630267431021",  // n
    "34653441313668560765655210",  // o
    "72437235603633750756511040",  // p
    "33233250400534101553930100",  // q
    "72458241703454730566421040",  // r
    "51637226704433552268622040",  // s
    "72438316801432630765412151",  // t
    "56546440502668360777000201",  // u
    "82429221800342630344113110",  // v
    "83547335803446630663312010",  // w
    "53647513701453471468332531",  // x
    "64546442512666580476523122",  // y
    "73349324712543530243411045",  // z
};

// One word's letters. Short ones say little: they are given the benefit of the doubt.
bool is_word(std::string_view letters) {
  if (letters.size() <= 3) return true;
  const double mean = mean_of_pairs(letters);
  return mean >= (letters.size() <= 5 ? 3.7 : letters.size() <= 7 ? 4.3 : 4.6);
}

}  // namespace

double mean_of_pairs(std::string_view text) {
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t i = 1; i < text.size(); ++i) {
    const char a = static_cast<char>(text[i - 1] | 0x20), b = static_cast<char>(text[i] | 0x20);
    if (!is_lower(a) || !is_lower(b)) continue;
    sum += pairs[a - 'a'][static_cast<std::size_t>(b - 'a')] - '0';
    ++count;
  }
  return count == 0 ? 5 : sum / static_cast<double>(count);
}

double pair_factor(char a, char b) { return std::pow(1.74, pairs[a - 'a'][static_cast<std::size_t>(b - 'a')] - '5'); }

NameLikeness name_likeness(std::string_view text) {
  NameLikeness out;
  out.words = !text.empty();
  std::size_t shortest = 0;  // words of one or two letters
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    std::size_t end = i + 1;
    if (is_digit(c)) {
      while (end < text.size() && is_digit(text[end])) ++end;
      out.digits += end - i;
      ++out.numbers;
    } else if (is_lower(c) || is_upper(c)) {
      // A word: capitals, then small letters ("Password", "API", "key", and the "HTTPServer" of two).
      while (end < text.size() && is_upper(text[end])) ++end;
      if (end - i > 1 && end < text.size() && is_lower(text[end])) --end;
      if (end - i == 1)
        while (end < text.size() && is_lower(text[end])) ++end;
      ++out.parts;
      out.letters += end - i;
      if (end - i <= 2) ++shortest;
      if (!is_word(text.substr(i, end - i))) out.words = false;
    } else {
      if (std::string_view("_-./:,;| \\").find(c) == std::string_view::npos)
        ++out.symbols;
      else
        ++out.joints;
    }
    i = end;
  }
  if (out.parts == 0) out.words = false;
  // Random letters of both cases fall into many parts of one or two.
  if (out.parts >= 4 && shortest * 2 > out.parts) out.words = false;
  // One word spelt in random letters of one case; and words that together are none.
  if (out.letters >= 8 && mean_of_pairs(text) < 4.45) out.words = false;
  return out;
}

}  // namespace imgbuild
