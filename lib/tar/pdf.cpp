// PDF (ISO 32000-1): what its streams' filters (7.4) leave, and the text that a page shows (9.4), whose letters may
// stand in strings of a few each, with numbers between them that move them closer. A stream that deflate alone packs is
// known in the midst of anything; here it is text only. (A font may call its letters by other numbers: not read.)
#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/numbers.hpp"
#include "base/text.hpp"
#include "tar/block_file.hpp"
#include "tar/blocks.hpp"

namespace imgbuild {
namespace {

bool is_space(char c) { return std::string_view("\0\t\n\f\r ", 6).find(c) != std::string_view::npos; }
bool is_delimiter(char c) { return std::string_view("()<>[]{}/%").find(c) != std::string_view::npos; }

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

Bytes from_hex(View text) {
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

/// What a page's content shows: a line for each piece of text, and each height on the page.
class Shown {
 public:
  std::string of(std::string_view content) {
    for (at_ = 0; at_ < content.size();) {
      const char c = content[at_];
      if (is_space(c)) {
        ++at_;
      } else if (c == '%') {
        at_ = std::min(content.find_first_of("\r\n", at_), content.size());
      } else if (c == '(') {
        show(literal(content));
      } else if (c == '<' && content.substr(at_, 2) != "<<") {
        const std::string_view digits = content.substr(at_ + 1);
        show(text_of(from_hex(view_of(digits.substr(0, digits.find('>'))))));
        at_ = std::min(content.find('>', at_), content.size() - 1) + 1;
      } else if (c == '[' || c == ']') {
        in_array_ = c == '[';
        ++at_;
      } else if (is_delimiter(c)) {
        ++at_;
      } else {
        std::size_t end = at_;
        while (end < content.size() && !is_space(content[end]) && !is_delimiter(content[end])) ++end;
        word(content.substr(at_, end - at_));
        at_ = end;
      }
    }
    return std::move(text_);
  }

 private:
  /// With its escapes (7.3.4.2).
  std::string literal(std::string_view content) {
    std::string text;
    int depth = 0;
    for (; at_ < content.size(); ++at_) {
      char c = content[at_];
      if (c == '(' && depth++ == 0) continue;
      if (c == ')' && --depth == 0) break;
      if (c == '\\' && at_ + 1 < content.size()) {
        c = content[++at_];
        if (c >= '0' && c <= '7') {
          int value = 0;
          const std::size_t end = std::min(at_ + 3, content.size());
          for (; at_ < end && content[at_] >= '0' && content[at_] <= '7'; ++at_) value = value * 8 + content[at_] - '0';
          --at_;
          c = static_cast<char>(value);
        } else if (c == '\n' || c == '\r') {
          continue;
        } else {
          constexpr std::string_view names = "nrtbf", are = "\n\r\t\b\f";
          if (const std::size_t i = names.find(c); i != std::string_view::npos) c = are[i];
        }
      }
      text += c;
    }
    ++at_;
    return text;
  }

  void show(std::string_view text) {
    if (height_ != shown_at_ && !text_.empty()) text_ += '\n';
    shown_at_ = height_;
    text_ += text;
  }

  void word(std::string_view word) {
    constexpr double space = -200;  // of a thousandth of the letters' size
    const bool number = word.find_first_not_of("+-.0123456789") == std::string_view::npos;
    if (number) {
      const double value = std::atof(std::string(word.substr(0, 32)).c_str());
      if (in_array_ && value <= space) text_ += ' ';
      std::rotate(numbers_.begin(), numbers_.begin() + 1, numbers_.end());
      numbers_.back() = value;
      return;
    }
    const double last = numbers_.back();
    if (word == "BT") {
      height_ = 0;
      if (!text_.empty()) text_ += '\n';
    }
    if (word == "Tm") height_ = last;
    if (word == "Td" || word == "TD") height_ += last;
    if (word == "TL") leading_ = last;
    if (word == "TD") leading_ = -last;
    if (word == "T*" || word == "'" || word == "\"") height_ -= leading_ == 0 ? 1 : leading_;
  }

  std::size_t at_ = 0;
  std::string text_;
  bool in_array_ = false;
  std::array<double, 6> numbers_{};
  double height_ = 0, shown_at_ = 0, leading_ = 0;
};

class Pdf : public BlockFile {
 public:
  const char* packing() const override { return "PDF"; }
  std::size_t usual() const override { return std::size_t{64} << 10; }

  Step step(View left, bool last, const Sink& sink) override {
    const std::string_view text = text_of(left);
    if (!text.starts_with(word)) return pass(text, last);
    const bool is_end = before_.ends_with("end");
    std::size_t begin = word.size();
    if (text.substr(begin, 1) == "\r") ++begin;
    if (text.substr(begin, 1) == "\n") ++begin;
    const auto filters = filters_of(dictionary());
    if (is_end || begin == word.size() || !filters) return take(note(text, word.size()));
    constexpr std::size_t longest = most_unblocked;
    const std::size_t close = text.find("endstream", begin);
    if (close == std::string_view::npos && !last && left.size() < longest)
      return want(std::min(longest, left.size() * 4));
    View stream = left.subspan(begin, std::min(close, left.size()) - begin);
    Bytes out;
    for (const std::string& filter : *filters) {
      out = unpack(stream, filter);
      stream = out;
    }
    if (predicted()) undo_predictor(out);
    if (!filters->empty()) stream = out;
    const bool known = filters->empty() || (filters->size() == 1 && filters->front() == "FlateDecode" && !predicted());
    if (!known) sink(out, true);
    const std::string_view content = text_of(stream);
    if (content.find("Tj") != std::string_view::npos || content.find("TJ") != std::string_view::npos) {
      const std::string shown = Shown().of(content);
      sink(view_of(shown), true);
    }
    return take(note(text, std::min(close, left.size())));
  }

 private:
  static constexpr std::string_view word = "stream";

  /// Up to the next stream, of what is none.
  Step pass(std::string_view text, bool last) {
    const std::size_t next = text.find(word);
    const std::size_t kept = last ? 0 : std::min(word.size() - 1, text.size() - 1);
    return take(note(text, next != std::string_view::npos ? next : text.size() - kept));
  }
  /// Keeps the end of what is taken: a stream's dictionary stands before it.
  std::size_t note(std::string_view text, std::size_t taken) {
    constexpr std::size_t longest_dictionary = 2048;
    const std::string_view end = text.substr(0, taken);
    before_ += end.substr(end.size() - std::min(end.size(), longest_dictionary));
    before_.erase(0, before_.size() - std::min(before_.size(), longest_dictionary));
    return taken;
  }
  std::string_view dictionary() const {
    const std::size_t begin = before_.rfind("obj");
    return std::string_view(before_).substr(begin == std::string::npos ? 0 : begin);
  }
  static std::size_t number_behind(std::string_view dictionary, std::string_view key, std::size_t other) {
    const std::size_t at = dictionary.find(key);
    if (at == std::string_view::npos) return other;
    return static_cast<std::size_t>(
        std::strtoul(std::string(dictionary.substr(at + key.size(), 12)).c_str(), nullptr, 10));
  }

  /// The names behind /Filter; nullopt: what is unpacked is no text, or cannot be.
  static std::optional<std::vector<std::string>> filters_of(std::string_view dictionary) {
    for (const std::string_view no_text : {"/Image", "/XRef", "/Length1", "/Length3", "/Type1C", "/OpenType"})
      if (dictionary.find(no_text) != std::string_view::npos) return std::nullopt;
    std::vector<std::string> filters;
    const std::size_t at = dictionary.find("/Filter");
    if (at == std::string_view::npos) return filters;
    std::string_view rest = trim(dictionary.substr(at + 7));
    const bool several = rest.starts_with('[');
    if (several) rest.remove_prefix(1);
    for (rest = trim(rest); rest.starts_with('/') && filters.size() < 8; rest = trim(rest)) {
      std::size_t end = 1;
      while (end < rest.size() && !is_space(rest[end]) && !is_delimiter(rest[end])) ++end;
      filters.emplace_back(rest.substr(1, end - 1));
      rest.remove_prefix(end);
      if (!several) break;
    }
    const auto known = [](const std::string& one) {
      return one == "FlateDecode" || one == "LZWDecode" || one == "ASCII85Decode" || one == "ASCIIHexDecode" ||
             one == "RunLengthDecode";
    };
    return std::all_of(filters.begin(), filters.end(), known) ? std::optional(filters) : std::nullopt;
  }

  static Bytes unpack(View packed, const std::string& filter) {
    if (filter == "LZWDecode") return from_lzw(packed);
    if (filter == "ASCII85Decode") return from_ascii85(packed);
    if (filter == "ASCIIHexDecode") return from_hex(packed);
    if (filter == "RunLengthDecode") return from_run_lengths(packed);
    Bytes out;
    unpack_deflate(rest_from(packed, 2), out);
    return out;
  }

  bool predicted() const { return number_behind(dictionary(), "/Predictor", 1) >= 10; }
  void undo_predictor(Bytes& bytes) const {
    const std::string_view all = dictionary();
    const std::size_t colors = number_behind(all, "/Colors", 1), bits = number_behind(all, "/BitsPerComponent", 8),
                      columns = number_behind(all, "/Columns", 1);
    if (colors > 32 || bits > 16 || columns > most_unblocked) return;
    const std::size_t row = (colors * bits * columns + 7) / 8;
    if (row > 0) imgbuild::undo_predictor(bytes, row, std::max<std::size_t>(colors * bits / 8, 1));
  }

  std::string before_;
};

}  // namespace

std::unique_ptr<BlockFile> pdf_of(View head) {
  return text_of(head.first(std::min<std::size_t>(head.size(), 1024))).find("%PDF-") != std::string_view::npos
             ? std::make_unique<Pdf>()
             : nullptr;
}

}  // namespace imgbuild
