// The first stage against the plainest way to do the same: at each place, each word.
#include "scan/words.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <string>
#include <utility>

#include "base/text.hpp"

using namespace imgbuild;

namespace {

ByteSet of(std::string_view bytes) {
  ByteSet set;
  for (const char c : bytes) set.set(static_cast<unsigned char>(c));
  return set;
}

Words::Word word(std::string_view text) {
  Words::Word out;
  for (const char c : text) out.push_back(of({&c, 1}));
  return out;
}

std::vector<std::pair<std::size_t, std::uint32_t>> plain(const std::vector<Words::Word>& words, View text,
                                                         std::size_t begin, std::size_t end) {
  std::vector<std::pair<std::size_t, std::uint32_t>> found;
  for (std::size_t at = begin; at < std::min(end, text.size()); ++at)
    for (std::uint32_t w = 0; w < words.size(); ++w) {
      bool is = at + words[w].size() <= text.size();
      for (std::size_t i = 0; is && i < words[w].size(); ++i) is = words[w][i][text[at + i]];
      if (is) found.emplace_back(at, w);
    }
  return found;
}

std::vector<std::pair<std::size_t, std::uint32_t>> found_by(const Words& words, View text, std::size_t begin,
                                                            std::size_t end) {
  std::vector<Words::Found> found;
  words.find(text, begin, end, found);
  std::vector<std::pair<std::size_t, std::uint32_t>> out;
  for (const auto& one : found) out.emplace_back(one.at, one.word);
  return out;
}

class Making {
 public:
  std::size_t number(std::size_t least, std::size_t most) {
    return std::uniform_int_distribution<std::size_t>(least, most)(random_);
  }

  // Few bytes, so that words stand in each other; zeros and bytes over 127 among them.
  char byte() { return std::string_view("abcABC12-_ .\0!\xe1\xc1 ", 17)[number(0, 16)]; }

  ByteSet set() {
    const std::size_t kind = number(0, 9);
    if (kind < 5) return of(std::string(1, byte()));
    if (kind < 8) return of(std::vector<const char*>{"aA", "bB", "cC"}[number(0, 2)]);
    if (kind == 8) return of("0123456789abcdef");
    return of(std::string{byte(), byte(), byte()});
  }

  Words::Word word() {
    Words::Word out;
    for (std::size_t size = number(0, 3) == 0 ? number(1, 3) : number(3, 40); size > 0; --size) out.push_back(set());
    return out;
  }

  std::string text(const std::vector<Words::Word>& words) {
    std::string out;
    for (std::size_t parts = number(0, 40); parts > 0; --parts) {
      if (number(0, 2) == 0) {
        for (std::size_t size = number(0, 30); size > 0; --size) out += byte();
        continue;
      }
      for (const auto& place : words[number(0, words.size() - 1)]) {
        std::size_t c = place._Find_first();
        for (std::size_t skip = number(0, place.count() - 1); skip > 0; --skip) c = place._Find_next(c);
        out += static_cast<char>(c);
      }
    }
    return out;
  }

 private:
  std::mt19937 random_{20261126};
};

}  // namespace

TEST_CASE("Words are found wherever they stand, at both ends of a text too") {
  const std::vector<Words::Word> words{
      word("ghp_"), word("ab"), word("x"), word("password"), {of("aA"), of("0123456789")}};
  const Words sought(words, Words::choose(words));
  for (std::size_t before = 0; before < 200; ++before)
    for (const std::string_view behind : {"", "-", "---------------------------"}) {
      const std::string text = std::string(before, '.') + "passwordghp_abxA7" + std::string(behind);
      CAPTURE(before, behind.size());
      CHECK(found_by(sought, view_of(text), 0, text.size()) ==
            std::vector<std::pair<std::size_t, std::uint32_t>>{
                {before, 3}, {before + 8, 0}, {before + 12, 1}, {before + 14, 2}, {before + 15, 4}});
    }
}

TEST_CASE("Of generated words and texts the first stage finds what looking at each place finds, on any processor") {
  Making making;
  for (int round = 0; round < 60; ++round) {
    std::vector<Words::Word> words;
    for (std::size_t size = making.number(1, round % 2 == 0 ? 8 : 200); size > 0; --size)
      words.push_back(making.word());
    const auto choices = Words::choose(words);
    const Words fast(words, choices), slow(words, choices, true);
    for (int texts = 0; texts < 20; ++texts) {
      const std::string text = making.text(words);
      const std::size_t begin = making.number(0, text.size()), end = making.number(begin, text.size() + 3);
      CAPTURE(round, texts, begin, end, text.size());
      const auto expected = plain(words, view_of(text), begin, end);
      REQUIRE(found_by(fast, view_of(text), begin, end) == expected);
      REQUIRE(found_by(slow, view_of(text), begin, end) == expected);
    }
  }
}
