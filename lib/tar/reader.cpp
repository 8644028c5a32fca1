// A tar archive is a row of 512-byte blocks: a header, then the member's data filled up to a whole block, and so on
// until two blocks of zeros. What a header cannot hold is said by members before it whose data are about the next one:
// pax records ('x', 'g'), GNU long names ('L', 'K').
//
// This reader is a state machine over pushed bytes and keeps a ledger: each byte is either shown as a part of an entry,
// or as data, or is zero, or goes to stray(). So a header is read with a copy of its block in hand from which every
// field that was understood is blanked; what is left in it has been read by nobody.
#include "tar/reader.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "base/error.hpp"
#include "base/percent.hpp"
#include "base/text.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t block_size = 512;
constexpr std::uint64_t most_extended = std::uint64_t{16} << 20;
constexpr std::uint64_t most_size = std::uint64_t{1} << 62;

struct Field {
  std::size_t at, size;
};
constexpr Field f_name{0, 100}, f_mode{100, 8}, f_uid{108, 8}, f_gid{116, 8}, f_size{124, 12}, f_mtime{136, 12},
    f_checksum{148, 8}, f_type{156, 1}, f_link{157, 100}, f_magic{257, 8}, f_user{265, 32}, f_group{297, 32},
    f_devices{329, 16}, f_prefix{345, 155}, f_gnu_times{345, 24}, f_gnu_sparse{386, 97}, f_gnu_real_size{483, 12};

using Block = std::array<std::uint8_t, block_size>;

bool all_zero(View bytes) {
  return bytes.empty() || (bytes[0] == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

/// Octal with blanks around it, or (first bit set) a big-endian two's complement number. nullopt: neither.
std::optional<std::int64_t> number_in(View field) {
  if ((field[0] & 0x80) != 0) {
    std::int64_t value = (field[0] & 0x40) != 0 ? -1 : 0;
    value = value * 64 + (field[0] & 0x3f);
    for (const std::uint8_t byte : field.subspan(1)) {
      if (value > (std::int64_t{1} << 54) || value < -(std::int64_t{1} << 54)) return std::nullopt;
      value = value * 256 + byte;
    }
    return value;
  }
  std::size_t i = 0;
  while (i < field.size() && field[i] == ' ') ++i;
  std::int64_t value = 0;
  for (; i < field.size() && field[i] >= '0' && field[i] <= '7'; ++i) value = value * 8 + (field[i] - '0');
  for (; i < field.size(); ++i)
    if (field[i] != ' ' && field[i] != 0) return std::nullopt;
  return value;
}

std::string_view text_in(View field) {
  const std::string_view text = text_of(field);
  return text.substr(0, text.find('\0'));
}

bool checksum_holds(View block) {
  const auto said = number_in(block.subspan(f_checksum.at, f_checksum.size));
  if (!said) return false;
  std::int64_t plain = 8 * ' ', with_sign = 8 * ' ';  // old writers summed signed characters
  for (std::size_t i = 0; i < block_size; ++i) {
    if (i >= f_checksum.at && i < f_checksum.at + f_checksum.size) continue;
    plain += block[i];
    with_sign += static_cast<std::int8_t>(block[i]);
  }
  return *said == plain || *said == with_sign;
}

std::string relative(std::string_view path) {
  for (;;) {
    if (path.starts_with("./"))
      path.remove_prefix(2);
    else if (path.starts_with("/"))
      path.remove_prefix(1);
    else
      return std::string(path == "." ? "" : path);
  }
}

TarEntry::Type type_of(char flag) {
  switch (flag) {
    case '0':
    case '7':
    case 'S':
    case '\0':
      return TarEntry::Type::file;
    case '1':
      return TarEntry::Type::hard_link;
    case '2':
      return TarEntry::Type::symlink;
    case '3':
      return TarEntry::Type::character;
    case '4':
      return TarEntry::Type::block;
    case '5':
      return TarEntry::Type::directory;
    case '6':
      return TarEntry::Type::fifo;
    default:
      return TarEntry::Type::other;
  }
}

bool has_no_data(TarEntry::Type type) { return type != TarEntry::Type::file && type != TarEntry::Type::other; }

}  // namespace

bool looks_like_tar(View head) {
  if (head.size() < block_size || head[0] == 0) return false;
  const View block = head.first(block_size);
  return checksum_holds(block) && number_in(block.subspan(f_size.at, f_size.size)).value_or(-1) >= 0;
}

struct TarReader::Inside {
  enum class State { header, extended, sparse_map, data, padding, tail };

  explicit Inside(TarVisitor& to) : visitor(to) {}

  TarVisitor& visitor;
  State state = State::header;
  std::uint64_t position = 0;  ///< bytes of the stream consumed
  Block block{};               ///< the header being gathered
  std::size_t have = 0;
  bool zero_before = false;  ///< the block before was all zeros
  bool in_tail = false;      ///< a byte of the tail was not zero: from here on all are shown
  std::uint64_t left = 0;    ///< of the data, extended data or padding
  std::uint64_t pad = 0;     ///< that follows them
  char extended_kind = 0;
  std::string extended;
  std::string long_name, long_link;  ///< GNU 'L' and 'K', for the next member
  bool has_long_name = false, has_long_link = false;
  std::vector<std::pair<std::string, std::string>> records;  ///< pax 'x', for the next member
  TarEntry entry;

  [[noreturn]] void damaged(const char* what) const {
    throw Error(std::string(what) + " at byte " + std::to_string(position - have));
  }

  std::uint64_t size_in(const Block& header) const {
    const auto size = number_in(View(header).subspan(f_size.at, f_size.size));
    if (!size || *size < 0 || static_cast<std::uint64_t>(*size) > most_size) damaged("damaged header");
    return static_cast<std::uint64_t>(*size);
  }

  void begin_data(std::uint64_t size, State with) {
    left = size;
    pad = (block_size - size % block_size) % block_size;
    state = with;
    have = 0;
    if (left == 0) end_data();
  }

  void end_data() {
    const State was = state;
    state = pad > 0 ? State::padding : State::header;
    left = pad;
    if (was != State::extended) return visitor.end_entry();
    end_extended();
    extended.clear();
  }

  /// Padding is less than a block: gathered, and shown as one.
  void pad_with(View part) {
    std::copy(part.begin(), part.end(), block.begin() + have);
    have += part.size();
  }
  void end_padding() {
    const View padding = View(block).first(have);
    state = State::header;
    have = 0;
    if (!all_zero(padding)) visitor.stray(padding, "padding");
  }

  void end_extended();
  void header_complete();
  void member(Block& rest);
  void sparse_map_complete();
  void show_rest(const Block& rest);
  void use_records();
  void begin_tail();
  void feed(View piece);
};

/// Shows what is left of a header block after its known fields were blanked.
void TarReader::Inside::show_rest(const Block& rest) {
  if (all_zero(rest)) return;
  const auto used = [](std::uint8_t byte) { return byte != 0; };
  const auto first = std::find_if(rest.begin(), rest.end(), used);
  const auto last = std::find_if(rest.rbegin(), rest.rend(), used).base();
  visitor.stray({&*first, static_cast<std::size_t>(last - first)}, "header");
}

void TarReader::Inside::header_complete() {
  if (all_zero(block)) {
    if (zero_before) begin_tail();
    zero_before = true;
    have = 0;
    return;
  }
  zero_before = false;
  if (!checksum_holds(block)) damaged("damaged header");

  Block rest = block;
  const auto blank = [&](Field field) { std::fill_n(rest.begin() + field.at, field.size, std::uint8_t{0}); };
  const auto blank_number = [&](Field field) {
    if (number_in(View(block).subspan(field.at, field.size))) blank(field);
  };
  for (const Field field : {f_mode, f_uid, f_gid, f_size, f_mtime, f_checksum}) blank_number(field);
  blank(f_type);
  const std::string_view magic = text_of(View(block).subspan(f_magic.at, 6));
  if (magic == std::string_view("ustar\0", 6) || magic == "ustar ") {
    blank({f_magic.at, f_magic.size});
    for (const std::size_t half : {std::size_t{0}, std::size_t{8}}) blank_number({f_devices.at + half, 8});
  }

  const char flag = static_cast<char>(block[f_type.at]);
  if (flag == 'x' || flag == 'g' || flag == 'L' || flag == 'K') {
    show_rest(rest);
    const std::uint64_t size = size_in(block);
    if (size > most_extended) damaged("extended header larger than 16 MiB");
    extended_kind = flag;
    extended.clear();
    begin_data(size, State::extended);
    return;
  }
  member(rest);
}

/// Words about a next member that never came are read by nobody.
void TarReader::Inside::begin_tail() {
  state = State::tail;
  const auto show = [this](const std::string& text) {
    visitor.stray(view_of("\n" + text + "\n"), "header");  // the stray before it may have ended as it begins
  };
  for (const auto& [key, value] : records) show(key + "=" + value);
  if (has_long_name) show(long_name);
  if (has_long_link) show(long_link);
}

/// A header that is no word about another: the member itself.
void TarReader::Inside::member(Block& rest) {
  const View all(block);
  const auto take_text = [&](Field field) {
    const std::string_view text = text_in(all.subspan(field.at, field.size));
    std::fill_n(rest.begin() + field.at, text.size(), std::uint8_t{0});
    return std::string(text);
  };
  const std::string_view magic = text_of(all.subspan(f_magic.at, 6));
  const bool posix = magic == std::string_view("ustar\0", 6), gnu = magic == "ustar ";
  const char flag = static_cast<char>(block[f_type.at]);

  entry = TarEntry{};
  entry.type = type_of(flag);
  // A name that a longer one replaces stays in `rest`: nobody else would read it.
  bool path_replaced = has_long_name, link_replaced = has_long_link;
  for (const auto& [key, value] : records) {
    path_replaced = path_replaced || key == "path" || key == "GNU.sparse.name";
    link_replaced = link_replaced || key == "linkpath";
  }
  std::string name;
  if (!path_replaced) {
    name = take_text(f_name);
    if (posix)
      if (const std::string prefix = take_text(f_prefix); !prefix.empty()) name = prefix + "/" + name;
  }
  entry.path = has_long_name ? long_name : name;
  if (has_long_link)
    entry.link = long_link;
  else if (!link_replaced)
    entry.link = take_text(f_link);
  if (posix || gnu) {
    entry.user = take_text(f_user);
    entry.group = take_text(f_group);
  }
  bool more_map = false;
  if (gnu) {
    for (const std::size_t half : {std::size_t{0}, std::size_t{12}})
      if (number_in(all.subspan(f_gnu_times.at + half, 12)))
        std::fill_n(rest.begin() + f_gnu_times.at + half, 12, std::uint8_t{0});
    if (flag == 'S') {
      for (std::size_t i = 0; i < 8; ++i)
        if (number_in(all.subspan(f_gnu_sparse.at + i * 12, 12)))
          std::fill_n(rest.begin() + f_gnu_sparse.at + i * 12, 12, std::uint8_t{0});
      more_map = block[f_gnu_sparse.at + 96] != 0;
      rest[f_gnu_sparse.at + 96] = 0;
      if (number_in(all.subspan(f_gnu_real_size.at, f_gnu_real_size.size)))
        std::fill_n(rest.begin() + f_gnu_real_size.at, f_gnu_real_size.size, std::uint8_t{0});
    }
  }
  show_rest(rest);

  const auto number = [&](Field field) { return number_in(all.subspan(field.at, field.size)).value_or(0); };
  entry.mode = static_cast<std::uint32_t>(number(f_mode));
  entry.uid = static_cast<std::uint64_t>(number(f_uid));
  entry.gid = static_cast<std::uint64_t>(number(f_gid));
  entry.mtime = number(f_mtime);
  entry.size = size_in(block);
  if (entry.type == TarEntry::Type::character || entry.type == TarEntry::Type::block) {
    entry.device_major = static_cast<std::uint32_t>(number({f_devices.at, 8}));
    entry.device_minor = static_cast<std::uint32_t>(number({f_devices.at + 8, 8}));
  }
  entry.sparse = flag == 'S' || std::any_of(records.begin(), records.end(),
                                            [](const auto& record) { return record.first.starts_with("GNU.sparse."); });
  use_records();
  entry.path = relative(entry.path);
  if (has_no_data(entry.type)) entry.size = 0;
  // Before POSIX a folder was a file whose name ends in '/'.
  if (entry.type == TarEntry::Type::file && !entry.path.empty() && entry.path.back() == '/' && !posix && flag != 'S') {
    entry.type = TarEntry::Type::directory;
    entry.size = 0;
  }
  has_long_name = has_long_link = false;
  records.clear();
  if (more_map) {
    state = State::sparse_map;
    have = 0;
    return;
  }
  visitor.entry(entry);
  begin_data(entry.size, State::data);
}

/// 21 more pairs of an old GNU sparse file's map, and whether another such block follows.
void TarReader::Inside::sparse_map_complete() {
  Block rest = block;
  for (std::size_t i = 0; i < 42; ++i)
    if (number_in(View(block).subspan(i * 12, 12))) std::fill_n(rest.begin() + i * 12, 12, std::uint8_t{0});
  rest[504] = 0;
  show_rest(rest);
  have = 0;
  if (block[504] != 0) return;
  visitor.entry(entry);
  begin_data(entry.size, State::data);
}

/// What pax records say of the entry; a record that says nothing we use, or that a later one replaces, is kept in
/// entry.pax, to be looked at.
void TarReader::Inside::use_records() {
  const auto numeric = [](const std::string& text) -> std::optional<std::int64_t> {
    std::size_t i = text.starts_with("-") ? 1 : 0;
    if (i == text.size()) return std::nullopt;
    std::int64_t value = 0;
    for (; i < text.size() && text[i] != '.'; ++i) {
      if (text[i] < '0' || text[i] > '9' || value > (std::int64_t{1} << 58)) return std::nullopt;
      value = value * 10 + (text[i] - '0');
    }
    return text.starts_with("-") ? -value : value;
  };
  std::string* const replaced[] = {&entry.path, &entry.link, &entry.user, &entry.group};
  const char* const names[] = {"path", "linkpath", "uname", "gname"};
  bool set[4] = {};
  bool sparse_name = false;
  for (auto& [key, value] : records) {
    bool used = false;
    for (std::size_t i = 0; i < 4; ++i)
      if (key == names[i] || (i == 0 && key == "GNU.sparse.name")) {
        if (i == 0 && sparse_name && key == "path") break;  // the map's name is the real one, whichever comes first
        if ((set[i] || i >= 2) && !replaced[i]->empty()) entry.pax.emplace_back(key, *replaced[i]);
        *replaced[i] = value;
        set[i] = used = true;
        sparse_name = sparse_name || key == "GNU.sparse.name";
      }
    if (used) continue;
    const auto count = numeric(value);
    if (key == "size") {
      if (!count || *count < 0 || static_cast<std::uint64_t>(*count) > most_size) damaged("damaged extended header");
      entry.size = static_cast<std::uint64_t>(*count);
    } else if ((key == "uid" || key == "gid") && count && *count >= 0) {
      (key == "uid" ? entry.uid : entry.gid) = static_cast<std::uint64_t>(*count);
    } else if (key == "mtime" && count && value.find_first_not_of("-.0123456789") == std::string::npos) {
      entry.mtime = *count;
    } else if (key.starts_with("SCHILY.xattr.")) {
      entry.xattrs.emplace_back(key.substr(13), value);
    } else if (const auto plain = unbase64(value); key.starts_with("LIBARCHIVE.xattr.") && plain) {
      entry.xattrs.emplace_back(percent_decoded(key.substr(17)), std::string(text_of(*plain)));
    } else {
      entry.pax.emplace_back(std::move(key), std::move(value));
    }
  }
}

void TarReader::Inside::end_extended() {
  if (extended_kind == 'L' || extended_kind == 'K') {
    const std::string text(extended.substr(0, extended.find('\0')));
    if (const View behind = view_of(extended).subspan(text.size()); !all_zero(behind)) visitor.stray(behind, "header");
    auto& slot = extended_kind == 'L' ? long_name : long_link;
    auto& has = extended_kind == 'L' ? has_long_name : has_long_link;
    if (has) visitor.stray(view_of(slot), "header");  // said twice: the first is read by nobody
    slot = text;
    has = true;
    return;
  }
  // "LENGTH KEY=VALUE\n", LENGTH in decimal and counting itself (POSIX.1-2008, pax, "pax Extended Header")
  std::vector<std::pair<std::string, std::string>> said;
  std::string_view text = extended;
  while (!text.empty()) {
    std::size_t length = 0, digits = 0;
    while (digits < text.size() && digits < 9 && text[digits] >= '0' && text[digits] <= '9')
      length = length * 10 + static_cast<std::size_t>(text[digits++] - '0');
    if (digits == 0) {  // some writers fill up with zeros
      if (!all_zero(view_of(text))) damaged("damaged extended header");
      break;
    }
    if (digits >= text.size() || text[digits] != ' ' || length <= digits + 1 || length > text.size() ||
        text[length - 1] != '\n')
      damaged("damaged extended header");
    const std::string_view record = text.substr(digits + 1, length - digits - 2);
    const std::size_t equals = record.find('=');
    if (equals == std::string_view::npos) damaged("damaged extended header");
    said.emplace_back(record.substr(0, equals), record.substr(equals + 1));
    text.remove_prefix(length);
  }
  if (extended_kind == 'x') {
    // Two such headers before one member: both are looked at, the later one counts.
    records.insert(records.end(), said.begin(), said.end());
    return;
  }
  TarEntry global;
  global.type = TarEntry::Type::other;
  global.path = "pax_global_header";
  global.pax = std::move(said);
  visitor.entry(global);
  visitor.end_entry();
}

void TarReader::Inside::feed(View piece) {
  while (!piece.empty()) {
    std::size_t taken = piece.size();
    switch (state) {
      case State::header:
      case State::sparse_map:
        taken = std::min(taken, block_size - have);
        std::copy_n(piece.begin(), taken, block.begin() + have);
        have += taken;
        position += taken;
        piece = piece.subspan(taken);
        if (have == block_size) state == State::header ? header_complete() : sparse_map_complete();
        continue;
      case State::extended:
      case State::data:
      case State::padding: {
        taken = static_cast<std::size_t>(std::min<std::uint64_t>(taken, left));
        const View part = piece.first(taken);
        position += taken;
        left -= taken;
        if (state == State::data)
          visitor.data(part);
        else if (state == State::extended)
          extended += text_of(part);
        else
          pad_with(part);
        if (left == 0) {
          if (state == State::padding)
            end_padding();
          else
            end_data();
        }
        break;
      }
      case State::tail: {
        View part = piece;
        position += taken;
        if (!in_tail) {
          if (all_zero(part)) break;
          while (part[0] == 0) part = part.subspan(1);
          in_tail = true;
        }
        visitor.stray(part, "tail");
        break;
      }
    }
    piece = piece.subspan(taken);
  }
}

TarReader::TarReader(TarVisitor& visitor) : inside_(std::make_unique<Inside>(visitor)) {}
TarReader::~TarReader() = default;
void TarReader::feed(View piece) { inside_->feed(piece); }
std::uint64_t TarReader::position() const { return inside_->position; }
View TarReader::unread() const {
  return inside_->have > 0 ? View(inside_->block).first(inside_->have) : view_of(inside_->extended);
}

void TarReader::finish() {
  using State = Inside::State;
  if (inside_->state == State::padding) inside_->end_padding();
  const bool whole = (inside_->state == State::header && inside_->have == 0 && inside_->records.empty() &&
                      !inside_->has_long_name && !inside_->has_long_link) ||
                     inside_->state == State::tail;
  if (!whole) throw Error("truncated archive");
}

}  // namespace imgbuild
