// A Scan keeps the bytes that a rule may still have to look back at, a home range, and the bytes that it may have to
// look ahead at: Scanner::scan_part over ranges that tile the stream.
#include <emmintrin.h>

#include <algorithm>

#include "scan/lines.hpp"
#include "scan/scanner.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t home = std::size_t{2} << 20;

}  // namespace

std::size_t count_lines(View text) {
  std::size_t count = 0, at = 0;
  const __m128i newline = _mm_set1_epi8('\n');
  while (at + 16 <= text.size()) {
    // Each lane counts to 255 at most before it is added up.
    __m128i lanes = _mm_setzero_si128();
    for (int i = 0; i < 255 && at + 16 <= text.size(); ++i, at += 16)
      lanes =
          _mm_sub_epi8(lanes, _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(&text[at])), newline));
    const __m128i sums = _mm_sad_epu8(lanes, _mm_setzero_si128());
    count += static_cast<std::size_t>(_mm_cvtsi128_si64(sums)) +
             static_cast<std::size_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(sums, sums)));
  }
  return count + static_cast<std::size_t>(std::count(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), '\n'));
}

struct Scan::Inside {
  const Scanner& scanner;
  std::string path;
  const ValueMatcher* values;
  Vault* found;
  Bytes held;  // the stream from `offset` on
  std::uint64_t offset = 0;
  std::size_t done = 0;     // bytes of `held` whose hits are had
  std::uint32_t lines = 0;  // line breaks before `offset`
  std::vector<Hit> hits;

  void look(std::size_t to) {
    if (to == done) return;
    for (auto& hit : scanner.scan_part(held, done, to, offset, {path, values, found})) {
      hit.line += lines;
      hits.push_back(std::move(hit));
    }
    done = to;
  }
};

Scan::Scan(const Scanner& scanner, std::string path, const ValueMatcher* values, Vault* found)
    : inside_(new Inside{scanner, std::move(path), values, found, {}, 0, 0, 0, {}}) {}

Scan::~Scan() = default;

void Scan::feed(View piece) {
  Inside& in = *inside_;
  while (!piece.empty()) {
    // Room for what is before, the home range and what is ahead of it.
    const std::size_t most = in.done + home + Scanner::reach;
    const std::size_t take = std::min(piece.size(), most - in.held.size());
    in.held.insert(in.held.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(take));
    piece = piece.subspan(take);
    if (in.held.size() < most) return;
    in.look(in.done + home);
    const std::size_t drop = in.done - std::min(in.done, Scanner::reach);
    in.lines += static_cast<std::uint32_t>(count_lines(View(in.held).first(drop)));
    in.held.erase(in.held.begin(), in.held.begin() + static_cast<std::ptrdiff_t>(drop));
    in.offset += drop;
    in.done -= drop;
  }
}

std::vector<Hit> Scan::finish() {
  inside_->look(inside_->held.size());
  std::vector<Hit> hits = std::move(inside_->hits);
  std::stable_sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) { return a.begin < b.begin; });
  return hits;
}

}  // namespace imgbuild
