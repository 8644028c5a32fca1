// The filters of PDF's streams (ISO 32000-1, 7.4), as their dictionaries name them.
#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/numbers.hpp"
#include "base/text.hpp"
#include "tar/blocks.hpp"
#include "tar/pdf.hpp"

namespace imgbuild {
namespace {

Bytes from_ascii85(View text) {
  Bytes out;
  std::uint32_t value = 0;
  std::size_t digits = 0;
  const auto give = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) out.push_back(static_cast<std::uint8_t>(value >> (24 - 8 * i)));
    value = 0;
    digits = 0;
  };
  for (const std::uint8_t c : text) {
    if (c == '~') break;
    if (c == 'z' && digits == 0) give(4);
    if (c < '!' || c > 'u') continue;
    value = value * 85 + c - '!';
    if (++digits == 5) give(4);
  }
  if (digits < 2) return out;
  const std::size_t count = digits - 1;
  for (; digits < 5; ++digits) value = value * 85 + 84;
  give(count);
  return out;
}

Bytes from_run_lengths(View packed) {
  Bytes out;
  for (std::size_t at = 0; at + 1 < packed.size() && packed[at] != 128 && out.size() < most_unblocked;) {
    const std::size_t says = packed[at++];
    if (says < 128) {
      const View run = packed.subspan(at, std::min(packed.size() - at, says + 1));
      out.insert(out.end(), run.begin(), run.end());
      at += run.size();
    } else {
      out.insert(out.end(), 257 - says, packed[at++]);
    }
  }
  return out;
}

/// Codes of 9 to 12 bits, which grow one too early (7.4.4).
Bytes from_lzw(View packed) {
  constexpr std::size_t clear = 256, end = 257, most_codes = 4096;
  struct Entry {
    std::size_t begin = 0, size = 0;  // of `out`: each is what came out once, and a byte more
  };
  std::vector<Entry> entries(most_codes);
  Bytes out;
  std::size_t count = end + 1, width = 9, bits = 0, before = clear;
  std::uint32_t held = 0;
  Entry last;
  for (const std::uint8_t byte : packed) {
    held = held << 8 | byte;
    bits += 8;
    if (bits < width) continue;
    bits -= width;
    const std::size_t code = held >> bits & ((1u << width) - 1);
    if (code == end || out.size() > most_unblocked) break;
    if (code == clear) {
      count = end + 1;
      width = 9;
      before = clear;
      continue;
    }
    const Entry now{out.size(), code < clear ? 1 : code < count ? entries[code].size : last.size + 1};
    if (code > count || (code == count && before == clear)) break;
    if (code < clear)
      out.push_back(static_cast<std::uint8_t>(code));
    else
      for (std::size_t i = 0, from = code < count ? entries[code].begin : last.begin; i < now.size; ++i)
        out.push_back(out[from + i]);
    if (before != clear && count < most_codes) entries[count++] = {last.begin, last.size + 1};
    width = count + 1 >= 2048 ? 12 : count + 1 >= 1024 ? 11 : count + 1 >= 512 ? 10 : 9;
    before = code;
    last = now;
  }
  return out;
}

/// Rows that say each byte's difference to another (PNG, section 9).
void undo_predictor(Bytes& bytes, std::size_t row, std::size_t pixel) {
  std::size_t to = 0;
  for (std::size_t at = 0; at < bytes.size(); at += row + 1) {
    const std::uint8_t type = bytes[at];
    const std::size_t count = std::min(row, bytes.size() - at - 1);
    for (std::size_t i = 0; i < count; ++i) {
      const int left = i < pixel ? 0 : bytes[to + i - pixel], up = to < row ? 0 : bytes[to + i - row],
                both = i < pixel || to < row ? 0 : bytes[to + i - row - pixel];
      const int to_left = std::abs(up - both), to_up = std::abs(left - both), to_both = std::abs(left + up - 2 * both);
      const int nearest = to_left <= to_up && to_left <= to_both ? left : to_up <= to_both ? up : both;
      const int guess = type == 1 ? left : type == 2 ? up : type == 3 ? (left + up) / 2 : type == 4 ? nearest : 0;
      bytes[to + i] = static_cast<std::uint8_t>(bytes[at + 1 + i] + guess);
    }
    to += count;
  }
  bytes.resize(to);
}

std::size_t number_behind(std::string_view dictionary, std::string_view key, std::size_t other) {
  const std::size_t at = dictionary.find(key);
  if (at == std::string_view::npos) return other;
  return static_cast<std::size_t>(
      std::strtoul(std::string(dictionary.substr(at + key.size(), 12)).c_str(), nullptr, 10));
}

Bytes unpack(View packed, const std::string& filter) {
  if (filter == "LZWDecode") return from_lzw(packed);
  if (filter == "ASCII85Decode") return from_ascii85(packed);
  if (filter == "ASCIIHexDecode") return pdf_hex(packed);
  if (filter == "RunLengthDecode") return from_run_lengths(packed);
  Bytes out;
  unpack_deflate(rest_from(packed, 2), out);
  return out;
}

bool is_known(const std::string& filter) {
  return filter == "FlateDecode" || filter == "LZWDecode" || filter == "ASCII85Decode" || filter == "ASCIIHexDecode" ||
         filter == "RunLengthDecode";
}

}  // namespace

Bytes pdf_hex(View text) {
  Bytes out;
  bool half = false;
  for (const std::uint8_t c : text) {
    if (c == '>') break;
    const unsigned letter = (c | 0x20u) - 'a', number = c - '0', digit = number < 10 ? number : letter + 10;
    if (number >= 10 && letter >= 6) continue;
    if (half)
      out.back() = static_cast<std::uint8_t>(out.back() | digit);
    else
      out.push_back(static_cast<std::uint8_t>(digit << 4));
    half = !half;
  }
  return out;
}

std::vector<std::string> pdf_filters(std::string_view dictionary) {
  std::vector<std::string> filters;
  const std::size_t at = dictionary.find("/Filter");
  if (at == std::string_view::npos) return filters;
  std::string_view rest = trim(dictionary.substr(at + 7));
  const bool several = rest.starts_with('[');
  if (several) rest.remove_prefix(1);
  for (rest = trim(rest); rest.starts_with('/') && filters.size() < 8; rest = trim(rest)) {
    std::size_t end = 1;
    while (end < rest.size() && !is_pdf_space(rest[end]) && !is_pdf_delimiter(rest[end])) ++end;
    filters.emplace_back(rest.substr(1, end - 1));
    rest.remove_prefix(end);
    if (!several) break;
  }
  return filters;
}

bool knows_pdf_filters(const std::vector<std::string>& filters) {
  return std::all_of(filters.begin(), filters.end(), is_known);
}

bool pdf_predicts(std::string_view dictionary) { return number_behind(dictionary, "/Predictor", 1) >= 10; }

Bytes unpack_pdf(View stream, std::string_view dictionary) {
  Bytes out;
  bool any = false;
  for (const std::string& filter : pdf_filters(dictionary)) {
    if (!is_known(filter)) return any ? out : Bytes(stream.begin(), stream.end());
    out = unpack(std::exchange(any, true) ? View(out) : stream, filter);
  }
  if (!any) out.assign(stream.begin(), stream.end());
  if (!pdf_predicts(dictionary)) return out;
  const std::size_t colors = number_behind(dictionary, "/Colors", 1),
                    bits = number_behind(dictionary, "/BitsPerComponent", 8),
                    columns = number_behind(dictionary, "/Columns", 1);
  if (colors > 32 || bits > 16 || columns > most_unblocked) return out;
  const std::size_t row = (colors * bits * columns + 7) / 8;
  if (row > 0) undo_predictor(out, row, std::max<std::size_t>(colors * bits / 8, 1));
  return out;
}

}  // namespace imgbuild
