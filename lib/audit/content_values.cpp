// Strings that stand next to each other with nothing between them but their lengths. SQLite: the file format's
// "b-tree pages" (https://www.sqlite.org/fileformat2.html); every page is looked at that has the shape of a leaf,
// whether a table still owns it or it was freed, and in a log ("WAL-mode File Format") as it was last. Java: the
// constant pool (JVM specification, 4.4). Python: marshal, whose strings are taken where a length and so many bytes of
// text follow a type, without unmarshalling anything.
#include "audit/content_values.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "audit/content.hpp"
#include "audit/sqlite_tables.hpp"
#include "base/numbers.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t most_code = std::size_t{32} << 20;
constexpr std::size_t most_row = std::size_t{8} << 20;
constexpr std::uint64_t most_named = std::uint64_t{64} << 30;  // of a database whose columns are read by their names
constexpr std::size_t shortest = 8;

bool is_word(std::uint8_t c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// The values, a line each.
class Values {
 public:
  Values(const Desk& desk, Where where) : cutter_(desk, std::move(where)) {}
  void add(View value) {
    text_.insert(text_.end(), value.begin(), value.end());
    text_.push_back('\n');
    if (text_.size() >= (std::size_t{64} << 10)) flush();
  }
  /// A part of `all`, where a word of it may seem to go on at one of its ends.
  void add_if_touched(View all, std::size_t begin, std::size_t size) {
    if (size < shortest) return;
    const View value = all.subspan(begin, size);
    const bool before = begin > 0 && is_word(all[begin - 1]) && is_word(value.front());
    const bool behind = begin + size < all.size() && is_word(all[begin + size]) && is_word(value.back());
    if (before || behind) add(value);
  }
  void finish() {
    flush();
    cutter_.finish();
  }

 private:
  void flush() {
    cutter_.feed({text_, nullptr, false});
    text_.clear();
  }
  Cutter cutter_;
  Bytes text_;
};

void look_at_class(View all, Values& values) {
  std::size_t at = 10;
  const std::size_t count = big_endian(all, 8, 2);
  for (std::size_t i = 1; i < count && at + 3 <= all.size(); ++i) {
    const std::uint8_t tag = all[at++];
    if (tag == 1) {
      const std::size_t size = big_endian(all, at, 2);
      at += 2;
      if (size > all.size() - at) return;
      values.add_if_touched(all, at, size);
      at += size;
    } else if (tag == 5 || tag == 6) {  // of eight bytes, and of two numbers
      at += 8;
      ++i;
    } else if (tag == 7 || tag == 8 || tag == 16 || tag == 19 || tag == 20) {
      at += 2;
    } else if (tag == 15) {
      at += 3;
    } else if ((tag >= 3 && tag <= 4) || (tag >= 9 && tag <= 12) || tag == 17 || tag == 18) {
      at += 4;
    } else {
      return;
    }
  }
}

void look_at_python(View all, Values& values) {
  const auto is_text = [](View bytes) {
    return std::all_of(bytes.begin(), bytes.end(),
                       [](std::uint8_t c) { return (c >= ' ' && c != 0x7f) || c == '\n' || c == '\r' || c == '\t'; });
  };
  for (std::size_t at = 8; at + 6 < all.size();) {
    const char type = static_cast<char>(all[at] & 0x7f);
    std::size_t begin = 0, size = 0;
    if (type == 'z' || type == 'Z') {
      begin = at + 2;
      size = all[at + 1];
    } else if (type == 'a' || type == 'A' || type == 'u' || type == 's' || type == 't') {
      begin = at + 5;
      size = little_endian(all, at + 1, 4);
    }
    if (size >= shortest && size <= all.size() - begin && is_text(all.subspan(begin, size))) {
      values.add_if_touched(all, begin, size);
      at = begin + size;
    } else {
      ++at;
    }
  }
}

/// The database that its log holds pages of, as far as it does: each as it was last; else zeros.
class Logged : public Whole {
 public:
  explicit Logged(const Whole& log)
      : log_(log), page_size_(static_cast<std::size_t>(big_endian(log.part(8, 4), 0, 4))) {
    constexpr std::size_t log_head = 32, frame_head = 24, most_pages = 100'000;
    for (std::uint64_t at = log_head; at + frame_head + page_size_ <= log.size(); at += frame_head + page_size_) {
      const std::uint64_t number = big_endian(log.part(at, 4), 0, 4);
      if (number == 0) break;
      if (cut_ = pages_.size() >= most_pages; cut_) break;
      pages_[number] = at + frame_head;
    }
  }
  const std::map<std::uint64_t, std::uint64_t>& pages() const { return pages_; }
  bool cut() const { return cut_; }
  std::uint64_t size() const override { return pages_.empty() ? 0 : pages_.rbegin()->first * page_size_; }
  std::size_t read(std::uint64_t offset, std::span<std::uint8_t> into) const override {
    std::size_t done = 0;
    while (done < into.size() && offset + done < size()) {
      const std::uint64_t at = offset + done;
      const auto within = static_cast<std::size_t>(at % page_size_);
      const auto part = into.subspan(done, std::min(into.size() - done, page_size_ - within));
      const auto page = pages_.find(at / page_size_ + 1);
      if (page == pages_.end()) {
        std::fill(part.begin(), part.end(), std::uint8_t{0});
        if (offset == 0 && part.size() >= 18) {  // of a database's head its pages' size
          part[16] = static_cast<std::uint8_t>(page_size_ >> 8);
          part[17] = page_size_ > 0xffff ? 1 : 0;
        }
      } else if (log_.read(page->second + within, part) < part.size()) {
        break;
      }
      done += part.size();
    }
    return done;
  }

 private:
  const Whole& log_;
  const std::size_t page_size_;
  bool cut_ = false;                              ///< it has more pages than are read
  std::map<std::uint64_t, std::uint64_t> pages_;  ///< by their numbers: where each stands in the log
};

class Sqlite {
 public:
  /// `log`: the file where it is made of one; else null.
  Sqlite(const Desk& desk, const Where& where, const Whole& file, Values& values, const Logged* log)
      : desk_(desk), where_(where), file_(file), values_(values), log_(log) {}

  void look() {
    const Bytes head = file_.part(0, 100);
    if (head.size() < 100) return;
    page_size_ = big_endian(head, 16, 2) == 1 ? 65536 : big_endian(head, 16, 2);
    if (page_size_ < 512 || (page_size_ & (page_size_ - 1)) != 0 || page_size_ - head[20] < 480) return;
    usable_ = page_size_ - head[20];
    const std::uint64_t encoding = big_endian(head, 56, 4);
    if (encoding == 2 || encoding == 3) order_ = encoding == 2 ? ByteOrder::little : ByteOrder::big;
    if (log_ != nullptr) {
      for (const auto& [number, at] : log_->pages()) look_at_page(number);
    } else {
      for (std::uint64_t number = 1; (number - 1) * page_size_ < file_.size(); ++number) look_at_page(number);
    }
  }

 private:
  void look_at_page(std::uint64_t number) {
    number_ = number;
    const Bytes page = file_.part((number - 1) * page_size_, page_size_);
    if (page.size() == page_size_) look_at_page(page, number == 1 ? 100 : 0);
  }
  void look_at_page(View page, std::size_t at) {
    const std::uint8_t type = page[at];
    if (type != 13 && type != 10 && type != 2) return;
    const std::size_t head = type == 2 ? 12 : 8, cells = big_endian(page, at + 3, 2);
    if (at + head + 2 * cells > usable_) return;
    for (std::size_t i = 0; i < cells; ++i) {
      const std::size_t cell = big_endian(page, at + head + 2 * i, 2);
      if (cell < at + head + 2 * cells || cell >= usable_) continue;
      look_at_cell(page.first(usable_), cell, type);
    }
  }

  void look_at_cell(View page, std::size_t at, std::uint8_t type) {
    if (type == 2) at += 4;
    const std::uint64_t size = sqlite_number(page, at);
    if (type == 13) sqlite_number(page, at);  // its number
    const auto local = static_cast<std::size_t>(sqlite_kept(size, usable_, type == 13));
    if (at > page.size() || local > page.size() - at) return;
    // Beside it stands the next cell, or this one's head.
    if (local == size) return look_at_row(page, at, local, false);
    if (local + 4 > page.size() - at || size > file_.size()) return;
    if (where_.budget) where_.budget->take_bytes(size);
    Bytes whole(page.begin() + static_cast<std::ptrdiff_t>(at), page.begin() + static_cast<std::ptrdiff_t>(at + local));
    std::uint64_t left = size - local;
    for (std::uint64_t next = big_endian(page, at + local, 4); next != 0 && left > 0;) {
      const Bytes more = file_.part((next - 1) * page_size_, usable_);
      if (more.size() < usable_) break;
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left, usable_ - 4));
      whole.insert(whole.end(), more.begin() + 4, more.begin() + 4 + static_cast<std::ptrdiff_t>(count));
      left -= count;
      next = big_endian(more, 0, 4);
      if (whole.size() >= most_row) {  // a very long row: as it comes, not by column
        values_.add(whole);
        whole.clear();
      }
    }
    if (size >= most_row)
      values_.add(whole);
    else
      look_at_row(whole, 0, whole.size(), true);
  }

  void look_at_row(View around, std::size_t begin, std::size_t size, bool all_values) {
    each_sqlite_column(around.subspan(begin, size), [&](std::uint64_t type, std::size_t at, std::size_t count) {
      if (type >= 12) look_at_value(around, begin + at, count, type % 2 == 1, all_values);
    });
  }

  void look_at_value(View around, std::size_t begin, std::size_t size, bool is_text, bool always) {
    if (size < shortest) return;
    const View value = around.subspan(begin, size);
    if (is_text && order_) {
      std::string text;
      std::uint32_t high = 0;
      for (std::size_t i = 0; i + 1 < size; i += 2)
        append_utf8(text, order_ == ByteOrder::little ? value[i] | value[i + 1] << 8 : value[i] << 8 | value[i + 1],
                    high);
      return values_.add(view_of(text));
    }
    if (container_of(value.first(std::min(size, container_head_size))) != Container::none) {
      Where place = where_;
      place.inside.back() = "page " + std::to_string(number_);
      ++place.depth;
      ContentReader reader(desk_, std::move(place));
      reader.feed({value, nullptr, false});
      return reader.finish();
    }
    if (always) return values_.add(value);
    values_.add_if_touched(around, begin, size);
  }

  const Desk& desk_;
  const Where& where_;
  const Whole& file_;
  Values& values_;
  const Logged* log_;
  std::size_t page_size_ = 0, usable_ = 0;
  std::uint64_t number_ = 0;
  std::optional<ByteOrder> order_;
};

}  // namespace

void look_at_values(const Desk& desk, const Where& where, Container kind, const Whole& content) {
  const bool is_database = kind == Container::sqlite || kind == Container::sqlite_log;
  Where place = where;
  place.inside.emplace_back(is_database ? "values" : "constants");
  Values values(desk, place);
  if (is_database) {
    std::optional<Logged> log;
    if (kind == Container::sqlite_log) log.emplace(content);
    const Whole& database = log ? *log : content;
    Sqlite(desk, place, database, values, log ? &*log : nullptr).look();
    // What stands in a column called password says nothing of itself.
    const auto named = [&](const std::string& name, View value) {
      values.add(view_of(name + "=\"" + std::string(text_of(value)) + "\""));
    };
    const bool all = database.size() <= most_named && each_named_value(database, named);
    if (!all || (log && log->cut()))
      where.add_gap("a database whose tables could not be read to their ends", content.size(), "");
  } else {
    const Bytes all = content.part(0, most_code);
    kind == Container::java_class ? look_at_class(all, values) : look_at_python(all, values);
  }
  values.finish();
}

}  // namespace imgbuild
