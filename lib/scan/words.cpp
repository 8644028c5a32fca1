// The first stage of a scan: which of some 3,000 words stand where. It sees every byte of an image, so it must ask as
// little as possible of each.
//
// A window is four bytes in a row, without the bit that tells small letters from capital ones. Each word has two: one
// that begins an even number of bytes from the word's begin, and one an odd number. So only every other place of a text
// is looked at, and whichever of them the word begins at, one of its windows is seen. A set of bits (Bloom, two bits in
// one word of 32) says no to all but one place in a hundred; a table of the windows says which words those may be, and
// these are compared. Where a word has only three letters in a row, a window's first or last byte may be any.
//
// A few words are of the kind "a dash and 32 hex digits": their windows would be too many. They go by groups: two
// tables for each of five places say, by the halves of a byte, which groups may have it there.
#include "scan/words.hpp"

#include <immintrin.h>

#include <algorithm>
#include <cstring>
#include <tuple>
#include <utility>

namespace imgbuild {
namespace {

constexpr std::uint32_t fold = 0x20202020, mixer = 0x9E3779B1;
constexpr unsigned log_bits = 22;
constexpr std::size_t block = 64;            // places that are asked for at once
constexpr std::size_t readable = block + 8;  // bytes that are read for it
constexpr std::size_t batch = 32;            // blocks

std::uint32_t hash_of(std::uint32_t window) { return window * mixer; }
std::uint32_t index_of(std::uint32_t hash) { return hash >> (32 - log_bits + 5); }
constexpr unsigned first_bit = 32 - log_bits, second_bit = first_bit - 5;

std::uint32_t window_at(const std::uint8_t* at) {
  std::uint32_t window = 0;
  std::memcpy(&window, at, sizeof window);
  return window | fold;
}

// What may be in a block. Of `windows` a bit is every fourth place, from 0 on the lower 16 of them, from 2 on the
// others; of `groups` a bit is a place.
struct Marks {
  std::uint32_t windows;
  std::uint64_t groups;
};

std::size_t place_of(unsigned bit) { return (bit & 15) * 4 + (bit >> 4) * 2; }

struct Sieve {
  const std::uint32_t* bits;
  const std::array<std::uint8_t, 16>*low, *high;
};

void sift_plainly(const Sieve& sieve, const std::uint8_t* at, std::size_t blocks, Marks* out) {
  for (; blocks > 0; --blocks, ++out, at += block) {
    *out = {0, 0};
    for (unsigned bit = 0; bit < 32; ++bit) {
      const std::uint32_t hash = hash_of(window_at(at + place_of(bit))), word = sieve.bits[index_of(hash)];
      out->windows |= (word >> (hash >> first_bit & 31) & word >> (hash >> second_bit & 31) & 1) << bit;
    }
    for (unsigned i = 0; i < block; ++i) {
      std::uint8_t groups = 255;
      for (std::size_t k = 0; k < Words::group_places.size(); ++k) {
        const std::uint8_t byte = at[i + Words::group_places[k]];
        groups = static_cast<std::uint8_t>(groups & sieve.low[k][byte & 15] & sieve.high[k][byte >> 4]);
      }
      out->groups |= std::uint64_t{groups != 0} << i;
    }
  }
}

__attribute__((target("avx2"))) inline __m256i bytes_at(const std::uint8_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(from));
}

// Eight windows, four bytes from one to the next: which of them the set of bits may hold.
__attribute__((target("avx2"))) inline std::uint32_t known_windows(const Sieve& sieve, const std::uint8_t* from) {
  const __m256i window = _mm256_or_si256(bytes_at(from), _mm256_set1_epi32(static_cast<int>(fold)));
  const __m256i hash = _mm256_mullo_epi32(window, _mm256_set1_epi32(static_cast<int>(mixer)));
  const __m256i word =
      _mm256_i32gather_epi32(reinterpret_cast<const int*>(sieve.bits), _mm256_srli_epi32(hash, 32 - log_bits + 5), 4);
  // The bits that are asked for come to be the sign.
  const __m256i last = _mm256_set1_epi32(31);
  const __m256i one = _mm256_sllv_epi32(word, _mm256_andnot_si256(_mm256_srli_epi32(hash, first_bit), last));
  const __m256i two = _mm256_sllv_epi32(word, _mm256_andnot_si256(_mm256_srli_epi32(hash, second_bit), last));
  return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_and_si256(one, two))));
}

// Which of 32 places some group takes.
__attribute__((target("avx2"))) inline std::uint32_t known_groups(const __m256i* low, const __m256i* high,
                                                                  const std::uint8_t* from) {
  const __m256i half = _mm256_set1_epi8(15);
  __m256i groups = _mm256_set1_epi8(-1);
  for (std::size_t k = 0; k < Words::group_places.size(); ++k) {
    const __m256i all = bytes_at(from + Words::group_places[k]);
    const __m256i one = _mm256_shuffle_epi8(low[k], _mm256_and_si256(all, half));
    const __m256i two = _mm256_shuffle_epi8(high[k], _mm256_and_si256(_mm256_srli_epi16(all, 4), half));
    groups = _mm256_and_si256(groups, _mm256_and_si256(one, two));
  }
  return ~static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(groups, _mm256_setzero_si256())));
}

__attribute__((target("avx2"))) void sift_by_32(const Sieve& sieve, const std::uint8_t* at, std::size_t blocks,
                                                Marks* out) {
  __m256i low[Words::group_places.size()], high[Words::group_places.size()];
  for (std::size_t k = 0; k < Words::group_places.size(); ++k) {
    low[k] = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i_u*>(sieve.low[k].data())));
    high[k] = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i_u*>(sieve.high[k].data())));
  }
  for (; blocks > 0; --blocks, ++out, at += block) {
    out->windows = known_windows(sieve, at) | known_windows(sieve, at + 32) << 8 | known_windows(sieve, at + 2) << 16 |
                   known_windows(sieve, at + 34) << 24;
    out->groups = known_groups(low, high, at) | static_cast<std::uint64_t>(known_groups(low, high, at + 32)) << 32;
  }
}

}  // namespace

class Words::Maker {
 public:
  explicit Maker(Words& words) : to_(words) {}

  void add(const Word& word, const Choice& choice) {
    const auto number = static_cast<std::uint32_t>(to_.shapes_.size());
    add_shape(word);
    if (choice.group != no_group) return add_to_group(word, choice, number);
    add_windows(word, choice.even, number);
    add_windows(word, choice.odd, number);
  }

  void finish() {
    end_shape(0);
    for (std::size_t t = 0; t < to_.tables_.size(); ++t) fill(to_.tables_[t], lists_[t], window_masks[t]);
  }

 private:
  void end_shape(std::size_t width) {
    to_.shapes_.push_back({static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(to_.chunks_.size()),
                           static_cast<std::uint32_t>(to_.choices_.size())});
  }

  void add_shape(const Word& word) {
    end_shape(word.size());
    for (std::size_t i = 0; i < word.size(); i += 8) {
      std::uint8_t mask[8] = {}, value[8] = {};
      for (std::size_t k = 0; k < 8 && i + k < word.size(); ++k) {
        const ByteSet& set = word[i + k];
        const auto first = static_cast<unsigned>(set._Find_first());
        const std::size_t next = set._Find_next(first), last = next < set.size() ? set._Find_next(next) : next;
        const bool pair = next == (first | 32) && last == set.size();
        if (next != set.size() && !pair) {
          to_.choices_.push_back({static_cast<std::uint32_t>(i + k), number_of(set)});
          continue;
        }
        mask[k] = pair ? 0xDF : 0xFF;
        value[k] = static_cast<std::uint8_t>(first & mask[k]);
      }
      Chunk chunk{};
      std::memcpy(&chunk.mask, mask, sizeof mask);
      std::memcpy(&chunk.value, value, sizeof value);
      to_.chunks_.push_back(chunk);
    }
  }

  std::uint32_t number_of(const ByteSet& set) {
    const auto known = std::find(to_.sets_.begin(), to_.sets_.end(), set);
    const auto number = static_cast<std::uint32_t>(known - to_.sets_.begin());
    if (known == to_.sets_.end()) to_.sets_.push_back(set);
    return number;
  }

  Entry entry_of(std::uint32_t word, std::int8_t offset) {
    to_.reach_ = std::max(to_.reach_, static_cast<std::size_t>(std::max<std::int8_t>(offset, 0)));
    return {word, offset, false, to_.chunks_[to_.shapes_[word].chunks]};
  }

  void add_windows(const Word& word, std::int8_t offset, std::uint32_t number) {
    const Entry entry = entry_of(number, offset);
    const std::size_t t = offset < 0 ? 2 : offset + 4 > std::ssize(word) ? 1 : 0;
    for_each_window(word, offset, [&](std::uint32_t window) {
      lists_[t].emplace_back(window, entry);
      if (t == 0) return remember(window);
      for (std::uint32_t any = 0; any < 256; ++any)
        if ((any & 32) != 0) remember(window | any << (t == 1 ? 24 : 0));
    });
  }

  void remember(std::uint32_t window) {
    const std::uint32_t hash = hash_of(window);
    to_.bits_[index_of(hash)] |= 1U << (hash >> first_bit & 31) | 1U << (hash >> second_bit & 31);
  }

  using List = std::vector<std::pair<std::uint32_t, Entry>>;

  void fill(Table& table, List& list, std::uint32_t mask) {
    std::stable_sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    table.mask = mask;
    for (table.shift = 31; (std::size_t{2} << (32 - table.shift)) < list.size() || !place(table, list);) --table.shift;
    for (std::size_t i = 0; i < list.size(); ++i) {
      to_.entries_.push_back(list[i].second);
      to_.entries_.back().last = i + 1 == list.size() || list[i + 1].first != list[i].first;
    }
  }

  // False: a bucket is too small.
  bool place(Table& table, const List& list) const {
    table.buckets.assign(std::size_t{1} << (32 - table.shift), Bucket{});
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (i > 0 && list[i].first == list[i - 1].first) continue;
      Bucket& bucket = table.buckets[table.bucket_of(list[i].first)];
      const auto slot = std::find(bucket.windows.begin(), bucket.windows.end(), 0U);
      if (slot == bucket.windows.end()) return false;
      *slot = list[i].first;
      bucket.first[static_cast<std::size_t>(slot - bucket.windows.begin())] =
          static_cast<std::uint32_t>(to_.entries_.size() + i);
    }
    return true;
  }

  void add_to_group(const Word& word, const Choice& choice, std::uint32_t number) {
    to_.by_group_[choice.group].push_back(entry_of(number, choice.even));
    const auto bit = static_cast<std::uint8_t>(1U << choice.group);
    for (std::size_t k = 0; k < group_places.size(); ++k) {
      const std::size_t place = static_cast<std::size_t>(choice.even) + group_places[k];
      for (unsigned c = 0; c < 256; ++c) {
        if (place < word.size() && !word[place][c]) continue;
        to_.low_[k][c & 15] |= bit;
        to_.high_[k][c >> 4] |= bit;
      }
    }
  }

  Words& to_;
  List lists_[3];
};

Words::Words(const std::vector<Word>& words, const std::vector<Choice>& choices, bool plainly)
    : plainly_(plainly || !__builtin_cpu_supports("avx2")), bits_((std::size_t{1} << log_bits) / 32) {
  Maker maker(*this);
  for (std::size_t w = 0; w < words.size(); ++w) maker.add(words[w], choices[w]);
  maker.finish();
}

void Words::compare(const Range& range, std::size_t at, const Entry& entry) const {
  const std::size_t from = at - static_cast<std::size_t>(static_cast<std::ptrdiff_t>(entry.offset));
  if (from < range.begin || from >= range.end) return;
  const std::size_t left = range.text.size() - from;
  const std::uint8_t* const bytes = range.text.data() + from;
  const auto is = [&](std::size_t place, const Chunk& chunk) {
    std::uint64_t eight = 0;
    if (left - place >= 8)
      std::memcpy(&eight, bytes + place, 8);
    else
      for (std::size_t i = 0; i < left - place; ++i) eight |= std::uint64_t{bytes[place + i]} << 8 * i;
    return (eight & chunk.mask) == chunk.value;
  };
  if (!is(0, entry.begin)) return;
  const Shape& shape = shapes_[entry.word];
  if (left < shape.width) return;
  for (std::size_t c = shape.chunks + 1, place = 8; c < shapes_[entry.word + 1].chunks; ++c, place += 8)
    if (!is(place, chunks_[c])) return;
  for (std::size_t c = shape.choices; c < shapes_[entry.word + 1].choices; ++c)
    if (!sets_[choices_[c].set][bytes[choices_[c].at]]) return;
  range.out.push_back({from, entry.word});
}

std::size_t Words::Table::bucket_of(std::uint32_t window) const { return hash_of(window) >> shift; }

// All is compared before anything is decided: what may be there is as likely as not.
std::size_t Words::look_up(const Seen& seen, Known* out) const {
  unsigned hits = 0;
  std::array<const Bucket*, 3> buckets;
  for (std::size_t t = 0; t < tables_.size(); ++t) {
    const std::uint32_t wanted = seen.window & tables_[t].mask;
    buckets[t] = &tables_[t].buckets[tables_[t].bucket_of(wanted)];
    const __m128i same = _mm_cmpeq_epi32(_mm_load_si128(reinterpret_cast<const __m128i*>(buckets[t]->windows.data())),
                                         _mm_set1_epi32(static_cast<int>(wanted)));
    hits |= static_cast<unsigned>(_mm_movemask_ps(_mm_castsi128_ps(same))) << (t * 4);
  }
  std::size_t count = 0;
  for (; hits != 0; hits &= hits - 1) {
    const auto hit = static_cast<std::size_t>(__builtin_ctz(hits));
    out[count++] = {seen.at, &entries_[buckets[hit / 4]->first[hit % 4]]};
    __builtin_prefetch(out[count - 1].entries);
  }
  return count;
}

void Words::look_by_group(const Range& range, std::size_t at, const std::uint8_t* bytes) const {
  unsigned all = 255;
  for (std::size_t k = 0; k < group_places.size(); ++k) {
    const std::uint8_t byte = bytes[group_places[k]];
    all &= low_[k][byte & 15] & high_[k][byte >> 4];
  }
  for (; all != 0; all &= all - 1)
    for (const auto& entry : by_group_[static_cast<std::size_t>(__builtin_ctz(all))]) compare(range, at, entry);
}

void Words::find(View text, std::size_t begin, std::size_t end, std::vector<Found>& out) const {
  end = std::min(end, text.size());
  if (begin >= end) return;
  const std::size_t first = out.size(), last = std::min(text.size(), end + reach_);
  const Range range{text, begin, end, out};
  const Sieve sieve{bits_.data(), low_.data(), high_.data()};
  Marks marks[batch];
  Seen seen[batch * block / 2];
  Known known[batch * block / 2 * std::tuple_size_v<decltype(tables_)>];
  std::uint8_t rest[readable];
  for (std::size_t at = begin; at < last;) {
    const std::uint8_t* from = text.data() + at;
    std::size_t blocks = std::min(batch, (last - at + block - 1) / block);
    if (text.size() - at < readable) {
      // Behind the last byte are zeros.
      std::memset(rest, 0, sizeof rest);
      std::memcpy(rest, from, text.size() - at);
      from = rest;
      blocks = 1;
    } else {
      blocks = std::min(blocks, (text.size() - at - (readable - block)) / block);
    }
    plainly_ ? sift_plainly(sieve, from, blocks, marks) : sift_by_32(sieve, from, blocks, marks);
    std::size_t count = 0;
    for (std::size_t b = 0; b < blocks; ++b, at += block, from += block) {
      for (std::uint32_t left = marks[b].windows; left != 0; left &= left - 1) {
        const std::size_t place = place_of(static_cast<unsigned>(__builtin_ctz(left)));
        const std::uint32_t window = window_at(from + place);
        seen[count++] = {at + place, window};
        for (const auto& table : tables_) __builtin_prefetch(&table.buckets[table.bucket_of(window & table.mask)]);
      }
      for (std::uint64_t left = marks[b].groups; left != 0; left &= left - 1) {
        const auto place = static_cast<std::size_t>(__builtin_ctzll(left));
        look_by_group(range, at + place, from + place);
      }
    }
    std::size_t hits = 0;
    for (std::size_t s = 0; s < count; ++s) hits += look_up(seen[s], known + hits);
    for (std::size_t k = 0; k < hits; ++k)
      for (const Entry* entry = known[k].entries;; ++entry) {
        compare(range, known[k].at, *entry);
        if (entry->last) break;
      }
  }
  std::sort(out.begin() + static_cast<std::ptrdiff_t>(first), out.end(),
            [](const Found& a, const Found& b) { return std::tie(a.at, a.word) < std::tie(b.at, b.word); });
}

}  // namespace imgbuild
