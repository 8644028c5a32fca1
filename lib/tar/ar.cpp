// An ar archive is "!<arch>\n" and a row of members: a header of 60 bytes (ar_hdr of <ar.h>: name 16, date 12, uid 6,
// gid 6, mode 8, size 10, all in ASCII, and "`\n"), the data, and a line feed where their size is odd. Long names stand
// in a member "//" (GNU; "/17" is the one that begins at its byte 17) or before the data ("#1/23", BSD: 23 bytes of
// them). Our own reader, for the same reason as tar's: libraries hide headers and tables.
#include "tar/ar.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/text.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t magic_size = 8, header_size = 60;
constexpr std::size_t most_name = 4096;
constexpr std::size_t most_names = std::size_t{4} << 20;  // of the table "//": a longer one is data, and no more

/// Digits, then blanks.
std::optional<std::uint64_t> number_in(std::string_view field) {
  const std::string_view digits = field.substr(0, field.find(' '));
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos ||
      field.find_first_not_of(' ', digits.size()) != std::string_view::npos)
    return std::nullopt;
  std::uint64_t value = 0;
  for (const char digit : digits) value = value * 10 + static_cast<std::uint64_t>(digit - '0');  // 13 digits at most
  return value;
}

}  // namespace

struct ArReader::Inside {
  enum class State { magic, header, name, data, padding };

  explicit Inside(TarVisitor& to) : visitor(to) {}

  TarVisitor& visitor;
  State state = State::magic;
  std::uint64_t position = 0, left = 0;
  std::array<std::uint8_t, header_size> header{};
  std::size_t have = 0;
  bool odd = false, is_names = false;
  std::string name, names;

  void begin_member() {
    const std::string_view text = text_of(header);
    visitor.stray(header, "header");
    const auto damaged = [&] { return Error("damaged ar header at byte " + std::to_string(position - header_size)); };
    const auto size = number_in(text.substr(48, 10));
    if (!text.ends_with("`\n") || !size) throw damaged();
    left = *size;
    odd = left % 2 != 0;
    have = 0;
    std::string_view said = text.substr(0, 16);
    said = said.substr(0, said.find_last_not_of(' ') + 1);
    is_names = said == "//";
    if (is_names) names.clear();
    if (said.starts_with("#1/")) {
      const auto length = number_in(said.substr(3));
      if (!length || *length > std::min<std::uint64_t>(left, most_name)) throw damaged();
      left -= *length;
      name.clear();
      have = static_cast<std::size_t>(*length);
      state = State::name;
      if (have == 0) begin_data();
      return;
    }
    name = said;
    if (said.size() > 1 && said[0] == '/' && !is_names) {
      if (const auto at = number_in(said.substr(1)); at && *at < names.size()) {
        const std::string_view rest = std::string_view(names).substr(static_cast<std::size_t>(*at));
        name = rest.substr(0, std::min(rest.find('\n'), most_name));
      }
    }
    if (name.size() > 1 && name.ends_with('/') && !is_names) name.pop_back();
    begin_data();
  }

  void begin_data() {
    name.erase(name.find_last_not_of('\0') + 1);
    TarEntry entry;
    entry.path = name;
    entry.size = left;
    visitor.entry(entry);
    state = State::data;
    have = 0;
    if (left == 0) end_data();
  }

  void end_data() {
    visitor.end_entry();
    state = odd ? State::padding : State::header;
  }

  void feed(View piece) {
    while (!piece.empty()) {
      std::size_t taken = piece.size();
      switch (state) {
        case State::magic:
          taken = std::min<std::size_t>(taken, magic_size - static_cast<std::size_t>(position));
          position += taken;
          if (position == magic_size) state = State::header;
          break;
        case State::header:
          taken = std::min(taken, header_size - have);
          std::copy_n(piece.begin(), taken, header.begin() + static_cast<std::ptrdiff_t>(have));
          have += taken;
          position += taken;
          if (have == header_size) begin_member();
          break;
        case State::name:
          taken = std::min(taken, have);
          name += text_of(piece.first(taken));
          have -= taken;
          position += taken;
          if (have == 0) begin_data();
          break;
        case State::data: {
          taken = static_cast<std::size_t>(std::min<std::uint64_t>(taken, left));
          const View part = piece.first(taken);
          if (is_names && names.size() + taken <= most_names) names += text_of(part);
          position += taken;
          left -= taken;
          visitor.data(part);
          if (left == 0) end_data();
          break;
        }
        case State::padding:
          taken = 1;
          ++position;
          state = State::header;
          if (piece[0] != '\n' && piece[0] != 0) visitor.stray(piece.first(1), "padding");
          break;
      }
      piece = piece.subspan(taken);
    }
  }

  void finish() const {
    const bool only_filled = std::all_of(header.begin(), header.begin() + static_cast<std::ptrdiff_t>(have),
                                         [](std::uint8_t c) { return c == '\n' || c == 0; });
    if (state == State::padding || (state == State::header && only_filled)) return;
    if (state == State::header) visitor.stray(View(header).first(have), "header");
    throw Error("truncated ar archive");
  }
};

ArReader::ArReader(TarVisitor& visitor) : inside_(std::make_unique<Inside>(visitor)) {}
ArReader::~ArReader() = default;
void ArReader::feed(View piece) { inside_->feed(piece); }
void ArReader::finish() { inside_->finish(); }

}  // namespace imgbuild
