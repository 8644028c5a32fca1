// Bytes as text. base64 and Ascii85 are rows of groups over any number of lines; uuencode and git's base85 have lines
// that begin with how many bytes they hold, and end where one does not keep to it.
#include "audit/encoded.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace imgbuild {
namespace {

using namespace std::string_view_literals;

void append(std::uint32_t bits, std::size_t count, Bytes& to) {
  for (std::size_t i = 0; i < count; ++i) to.push_back(static_cast<std::uint8_t>(bits >> (24 - 8 * i)));
}

/// RFC 4648, both alphabets, over any number of lines, also where their ends are written out as in JSON.
class Base64 : public EncodedText {
 public:
  std::size_t decode(View characters, Bytes& to) override {
    std::size_t used = 0;
    for (; used < characters.size(); ++used) {
      const std::uint8_t c = characters[used];
      if (escaped_) {
        if (c != 'n' && c != 'r') break;
        escaped_ = false;
        broken_line_ = true;
        continue;
      }
      const int value = value_of(c);
      if (value < 0) {
        if (c == '\n' || c == '\r') {
          broken_line_ = true;
        } else if (c == '\\') {
          escaped_ = true;
        } else if (c == ' ' || c == '\t') {
          blank_ = !broken_line_;
        } else {
          break;
        }
        continue;
      }
      if (blank_ && !broken_line_) break;  // another word of the same line
      broken_line_ = blank_ = false;
      bits_ = bits_ << 6 | static_cast<std::uint32_t>(value);
      if (++count_ % 4 == 0) append(bits_ << 8, 3, to);
    }
    return used;
  }
  void finish(Bytes& to) override {
    const std::uint32_t left = count_ % 4;
    if (left >= 2) append(bits_ << (32 - 6 * left), left - 1, to);
  }

 private:
  static int value_of(std::uint8_t c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+' || c == '-') return 62;
    if (c == '/' || c == '_') return 63;
    return -1;
  }

  std::uint32_t bits_ = 0, count_ = 0;
  bool escaped_ = false, blank_ = false, broken_line_ = false;
};

/// The rest of a first line, other headers, an empty line, and base64 up to a checksum.
class Armor : public EncodedText {
 public:
  std::size_t decode(View characters, Bytes& to) override {
    std::size_t used = 0;
    while (used < characters.size() && in_header_ && header_ < longest) {
      const std::uint8_t c = characters[used++];
      ++header_;
      if (c == '\n') {
        in_header_ = line_ > 0;
        line_ = 0;
      } else if (c != '\r' && c != ' ' && c != '\t') {
        ++line_;
      }
    }
    return in_header_ ? used : used + base64_.decode(characters.subspan(used), to);
  }
  void finish(Bytes& to) override { base64_.finish(to); }

 private:
  static constexpr std::size_t longest = 4096;
  bool in_header_ = true;
  std::size_t header_ = 0, line_ = 0;
  Base64 base64_;
};

/// Digits of base 85, five for four bytes.
class Base85 {
 public:
  /// False: no four bytes are that much.
  bool digit(std::uint32_t value, Bytes& to) {
    number_ = number_ * 85 + value;
    if (++count_ < 5) return true;
    const bool fits = number_ <= UINT32_MAX;
    if (fits) append(static_cast<std::uint32_t>(number_), 4, to);
    count_ = 0;
    number_ = 0;
    return fits;
  }
  bool is_empty() const { return count_ == 0; }
  /// Of two to four digits one byte less.
  void finish(Bytes& to) {
    const std::size_t left = count_;
    if (left < 2) return;
    Bytes all;
    while (count_ > 0 && digit(84, all)) {
    }
    if (!all.empty()) to.insert(to.end(), all.begin(), all.begin() + static_cast<std::ptrdiff_t>(left - 1));
  }

 private:
  std::uint64_t number_ = 0;
  std::size_t count_ = 0;
};

/// What stands between <~ and ~> (PostScript Language Reference, 3rd edition, section 3.13.3, ASCII85Encode).
class Ascii85 : public EncodedText {
 public:
  std::size_t decode(View characters, Bytes& to) override {
    std::size_t used = 0;
    for (; used < characters.size(); ++used) {
      const std::uint8_t c = characters[used];
      if (opened_ < 2) {
        ++opened_;
      } else if (c >= '!' && c <= 'u') {
        if (!digits_.digit(c - '!', to)) break;
      } else if (c == 'z' && digits_.is_empty()) {
        append(0, 4, to);
      } else if (c != '\n' && c != '\r' && c != ' ' && c != '\t') {
        break;
      }
    }
    return used;
  }
  void finish(Bytes& to) override { digits_.finish(to); }

 private:
  std::size_t opened_ = 0;  // characters of <~ that have come
  Base85 digits_;
};

/// Lines that begin with how many bytes they hold.
class Lines : public EncodedText {
 public:
  std::size_t decode(View characters, Bytes& to) override {
    std::size_t used = 0;
    for (; used < characters.size() && !ended_; ++used) {
      const auto c = static_cast<char>(characters[used]);
      if (c == '\n') {
        ended_ = !take(std::exchange(line_, {}), to);
      } else if (line_.size() == longest || (line_.empty() && !may_begin(c))) {
        break;
      } else if (c != '\r') {
        line_ += c;
      }
    }
    return used;
  }
  void finish(Bytes& to) override {
    if (!line_.empty()) take(line_, to);
  }

 private:
  static constexpr std::size_t longest = 4096;  // of a header with a path

  virtual bool may_begin(char) const = 0;
  /// False: nothing more follows.
  virtual bool take(std::string_view line, Bytes& to) = 0;

  std::string line_;
  bool ended_ = false;
};

/// Behind a header, six bits a character (POSIX, uuencode: "Historical Algorithm"). Blanks at a line's end may be lost.
class Uuencode : public Lines {
 private:
  bool may_begin(char c) const override { return in_header_ || is_uuencode(c); }
  bool take(std::string_view line, Bytes& to) override {
    if (std::exchange(in_header_, false)) return true;
    const std::size_t bytes = line.empty() ? 0 : value_of(line[0]);
    if (bytes == 0 || !std::all_of(line.begin(), line.end(), is_uuencode)) return false;
    for (std::size_t i = 0; i < bytes; i += 3) {
      std::uint32_t bits = 0;
      for (std::size_t at = 1 + i / 3 * 4, end = at + 4; at < end; ++at)
        bits = bits << 6 | (at < line.size() ? value_of(line[at]) : 0);
      append(bits << 8, std::min<std::size_t>(3, bytes - i), to);
    }
    return true;
  }
  static std::uint32_t value_of(char c) { return static_cast<std::uint32_t>(c - ' ') & 63; }

  bool in_header_ = true;
};

/// Of `git diff --binary`: one or two times a header, lines, and an empty one (git, apply.c and base85.c). What two of
/// them hold is shown as one: each is a zlib stream, whose end says itself.
class GitPatch : public Lines {
 private:
  bool may_begin(char) const override { return true; }
  bool take(std::string_view line, Bytes& to) override {
    if (in_header_) {
      in_header_ = line.starts_with("GIT");
      return in_header_ || line.starts_with("literal ") || line.starts_with("delta ");
    }
    in_header_ = line.empty();
    if (in_header_) return true;
    const char first = line[0];
    const std::size_t bytes = first >= 'A' && first <= 'Z'   ? static_cast<std::size_t>(first - 'A' + 1)
                              : first >= 'a' && first <= 'z' ? static_cast<std::size_t>(first - 'a' + 27)
                                                             : 0;
    if (bytes == 0 || line.size() != 1 + (bytes + 3) / 4 * 5) return false;
    const std::size_t before = to.size();
    Base85 digits;
    for (const char c : line.substr(1)) {
      const std::uint8_t value = values[static_cast<std::uint8_t>(c)];
      if (value == none || !digits.digit(value, to)) return false;
    }
    to.resize(before + bytes);
    return true;
  }
  static constexpr std::uint8_t none = 85;
  static constexpr std::array<std::uint8_t, 256> values = [] {
    std::array<std::uint8_t, 256> of{};
    of.fill(none);
    std::uint8_t value = 0;
    for (const unsigned char c :
         "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"sv)
      of[c] = value++;
    return of;
  }();

  bool in_header_ = true;
};

}  // namespace

std::unique_ptr<EncodedText> EncodedText::of(Encoding encoding) {
  switch (encoding) {
    case Encoding::uuencode:
      return std::make_unique<Uuencode>();
    case Encoding::ascii85:
      return std::make_unique<Ascii85>();
    case Encoding::base85:
      return std::make_unique<GitPatch>();
    case Encoding::armor:
      return std::make_unique<Armor>();
    default:
      return std::make_unique<Base64>();
  }
}

}  // namespace imgbuild
