// Packs, read from their first byte to their last. libgit2 reads a pack through its index, from files that have names,
// and holds each object whole in memory; a pack found in an image has often no index that can be trusted, its objects
// may be larger than our memory, and those that no index lists are what we look for.
//
// A pack is a row of objects, each a type, a size and a zlib stream; only by unpacking one is it known where the next
// begins. Deltas name their base by the distance to it in the pack, or by its id. The first pass shows what is no delta
// and notes who is whose base; the second goes from each base down the tree of its deltas, so that each is applied
// once. What a walk must hold (one content per level) lies in ByteStores: in memory while it is small.
#include "git/pack.hpp"

#include <zlib.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "base/byte_store.hpp"
#include "base/error.hpp"
#include "base/interrupt.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t window = std::size_t{64} << 10;
constexpr std::uint32_t most_objects = 3'000'000, none = UINT32_MAX;
constexpr std::size_t most_chain = 4096;  // git makes none that are longer
constexpr std::uint64_t header_size = 12;

class Damaged : public Error {
 public:
  Damaged() : Error("damaged git pack") {}
};

/// Reads a Whole from the front.
class Cursor {
 public:
  explicit Cursor(const Whole& whole, std::uint64_t at = 0) : whole_(whole), next_(at) {}
  std::uint64_t position() const { return next_ - left_.size(); }
  std::uint8_t byte() {
    const std::uint8_t value = some()[0];
    left_ = left_.subspan(1);
    return value;
  }
  /// What is at hand, at least one byte. Throws at the end.
  View some() {
    if (left_.empty()) {
      buffer_.resize(window);
      const std::size_t size = whole_.read(next_, buffer_);
      if (size == 0) throw Damaged();
      next_ += size;
      left_ = View(buffer_).first(size);
    }
    return left_;
  }
  void took(std::size_t count) { left_ = left_.subspan(count); }
  bool at_end() const { return position() >= whole_.size(); }

 private:
  const Whole& whole_;
  Bytes buffer_;
  View left_;
  std::uint64_t next_;
};

class Zlib {
 public:
  Zlib() {
    if (inflateInit(&state_) != Z_OK) throw std::bad_alloc();
  }
  Zlib(const Zlib&) = delete;
  Zlib& operator=(const Zlib&) = delete;
  ~Zlib() { inflateEnd(&state_); }

  /// Unpacks one stream of exactly `size` bytes.
  template <class Sink>
  void unpack(Cursor& in, std::uint64_t size, Sink sink) {
    inflateReset(&state_);
    std::uint64_t made = 0;
    for (int outcome = Z_OK; outcome != Z_STREAM_END;) {
      const View some = in.some();
      state_.next_in = const_cast<Bytef*>(some.data());
      state_.avail_in = static_cast<uInt>(some.size());
      state_.next_out = out_.data();
      state_.avail_out = static_cast<uInt>(out_.size());
      outcome = inflate(&state_, Z_NO_FLUSH);
      in.took(some.size() - state_.avail_in);
      if (outcome != Z_OK && outcome != Z_STREAM_END && outcome != Z_BUF_ERROR) throw Damaged();
      const std::size_t count = out_.size() - state_.avail_out;
      made += count;
      if (made > size) throw Damaged();
      if (count > 0) sink(View(out_).first(count));
    }
    if (made != size) throw Damaged();
  }

 private:
  z_stream state_{};
  Bytes out_ = Bytes(window);
};

struct ObjectHead {
  int type = 0;  // as the format numbers them; 6 and 7 are deltas
  std::uint64_t size = 0, base = 0;
  Bytes base_id;
};

GitObject::Type type_of(int number) {
  constexpr GitObject::Type types[] = {GitObject::Type::commit, GitObject::Type::tree, GitObject::Type::blob,
                                       GitObject::Type::tag};
  return types[number - 1];
}

std::uint64_t key_of(View id) {
  std::uint64_t key = 0;
  for (const std::uint8_t byte : id.first(8)) key = key << 8 | byte;
  return key;
}

class PackReader {
 public:
  PackReader(const Whole& pack, std::size_t id_size, PackVisitor& visitor)
      : pack_(pack), id_size_(id_size), visitor_(visitor) {}

  void read() {
    const Bytes head = pack_.part(0, header_size);
    if (head.size() < header_size) throw Damaged();
    std::uint32_t count = 0;
    for (std::size_t i = 8; i < header_size; ++i) count = count << 8 | head[i];
    if (count > most_objects) throw Error("holds more than " + std::to_string(most_objects) + " objects");
    std::string why;
    try {
      first_pass(count);
    } catch (const Damaged& damage) {
      why = damage.what();
    }
    second_pass();
    if (!why.empty()) visitor_.unreadable(why);
    if (shown_ < starts_.size() && !told_ && why.empty())
      visitor_.unreadable("deltas of objects that are elsewhere (a thin git pack)");
  }

 private:
  /// A level of the walk down the deltas.
  struct Level {
    std::unique_ptr<ByteStore> content;
    GitObject::Type type;
    std::uint32_t next;            // of its deltas by distance
    std::size_t by_id, by_id_end;  // of those by id
  };

  ObjectHead head_at(Cursor& in) const {
    const std::uint64_t start = in.position();
    ObjectHead head;
    std::uint8_t byte = in.byte();
    head.type = byte >> 4 & 7;
    head.size = byte & 15;
    for (int shift = 4; (byte & 0x80) != 0; shift += 7) {
      if (shift > 57) throw Damaged();
      byte = in.byte();
      head.size |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    }
    if (head.type == 6) {
      byte = in.byte();
      std::uint64_t distance = byte & 0x7f;
      while ((byte & 0x80) != 0) {
        if (distance >> 50 != 0) throw Damaged();
        byte = in.byte();
        distance = (distance + 1) << 7 | (byte & 0x7f);
      }
      if (distance == 0 || distance > start) throw Damaged();
      head.base = start - distance;
    } else if (head.type == 7) {
      for (std::size_t i = 0; i < id_size_; ++i) head.base_id.push_back(in.byte());
    } else if (head.type == 0 || head.type == 5) {
      throw Damaged();
    }
    return head;
  }

  void first_pass(std::uint32_t count) {
    Cursor in(pack_, header_size);
    while (starts_.size() < count) {
      interrupt::check();
      const std::uint64_t start = in.position();
      const ObjectHead head = head_at(in);
      const auto index = static_cast<std::uint32_t>(starts_.size());
      if (head.type < 5) {
        ByteStore content;
        unpack_into(in, head.size, content);
        note(start);
        show(type_of(head.type), content);
        continue;
      }
      zlib_.unpack(in, head.size, [&](View piece) { visitor_.unpacked(piece.size()); });
      if (head.type == 7) {
        by_id_.emplace_back(key_of(head.base_id), index);
      } else {
        const auto base = std::lower_bound(starts_.begin(), starts_.end(), head.base);
        if (base == starts_.end() || *base != head.base) throw Damaged();
        const auto at = static_cast<std::size_t>(base - starts_.begin());
        note(start);
        next_sibling_[index] = first_child_[at];
        first_child_[at] = index;
        continue;
      }
      note(start);
    }
    if (pack_.size() - in.position() != id_size_) throw Damaged();
  }

  void note(std::uint64_t start) {
    starts_.push_back(start);
    first_child_.push_back(none);
    next_sibling_.push_back(none);
  }

  /// Downwards from all that is no delta and is somebody's base.
  void second_pass() {
    std::sort(by_id_.begin(), by_id_.end());
    done_.assign(starts_.size(), false);
    for (std::uint32_t i = 0; i < starts_.size(); ++i) {
      if (by_id_.empty() && first_child_[i] == none) continue;
      Cursor in(pack_, starts_[i]);
      const ObjectHead head = head_at(in);
      if (head.type > 4) continue;
      auto content = std::make_unique<ByteStore>();
      unpack_into(in, head.size, *content);
      const Bytes id = by_id_.empty() ? Bytes() : visitor_.id_of(type_of(head.type), *content);
      walk(level(i, std::move(content), type_of(head.type), id));
    }
  }

  Level level(std::uint32_t index, std::unique_ptr<ByteStore> content, GitObject::Type type, View id) {
    Level made{std::move(content), type, first_child_[index], 0, 0};
    if (by_id_.empty() || id.empty()) return made;
    const std::uint64_t key = key_of(id);
    const auto from = std::lower_bound(by_id_.begin(), by_id_.end(), std::pair(key, std::uint32_t{0}));
    made.by_id = made.by_id_end = static_cast<std::size_t>(from - by_id_.begin());
    while (made.by_id_end < by_id_.size() && by_id_[made.by_id_end].first == key) ++made.by_id_end;
    return made;
  }

  void walk(Level top) {
    std::vector<Level> levels;
    levels.push_back(std::move(top));
    while (!levels.empty()) {
      interrupt::check();
      Level& now = levels.back();
      std::uint32_t child = now.next;
      if (child != none) {
        now.next = next_sibling_[child];
      } else if (now.by_id < now.by_id_end) {
        child = by_id_[now.by_id++].second;
      } else {
        levels.pop_back();
        continue;
      }
      if (done_[child]) continue;  // of a base that stands twice in the pack
      done_[child] = true;
      if (levels.size() >= most_chain) {
        tell("git deltas of more than " + std::to_string(most_chain) + " others");
        continue;
      }
      try {
        auto content = std::make_unique<ByteStore>();
        apply(child, *now.content, *content);
        const Bytes id = show(now.type, *content);
        if (first_child_[child] != none || !by_id_.empty())
          levels.push_back(level(child, std::move(content), now.type, id));
      } catch (const Damaged& damage) {
        tell(damage.what());
      }
    }
  }

  void tell(const std::string& why) {
    if (!told_) visitor_.unreadable(why);
    told_ = true;
  }

  Bytes show(GitObject::Type type, const ByteStore& content) {
    ++shown_;
    Bytes id = visitor_.id_of(type, content);
    visitor_.object(type, id, content);
    return id;
  }

  void unpack_into(Cursor& in, std::uint64_t size, ByteStore& store) {
    zlib_.unpack(in, size, [&](View piece) {
      visitor_.unpacked(piece.size());
      store.append(piece);
    });
  }

  /// A delta (gitformat-pack, "Deltified representation"): the two sizes, then copies from the base and new bytes.
  void apply(std::uint32_t index, const Whole& base, ByteStore& result) {
    Cursor at(pack_, starts_[index]);
    ByteStore delta;
    unpack_into(at, head_at(at).size, delta);
    Cursor in(delta);
    const auto number = [&] {
      std::uint64_t value = 0;
      for (int shift = 0;; shift += 7) {
        const std::uint8_t byte = in.byte();
        if (shift > 56) throw Damaged();
        value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) return value;
      }
    };
    if (number() != base.size()) throw Damaged();
    const std::uint64_t size = number();
    while (!in.at_end()) {
      const std::uint8_t what = in.byte();
      if (what == 0) throw Damaged();
      std::uint64_t offset = 0, count = what;
      if ((what & 0x80) != 0) {
        count = 0;
        for (int i = 0; i < 4; ++i)
          if ((what >> i & 1) != 0) offset |= static_cast<std::uint64_t>(in.byte()) << (8 * i);
        for (int i = 0; i < 3; ++i)
          if ((what >> (4 + i) & 1) != 0) count |= static_cast<std::uint64_t>(in.byte()) << (8 * i);
        if (count == 0) count = 0x10000;
        if (offset > base.size() || count > base.size() - offset) throw Damaged();
      }
      if (count > size - result.size()) throw Damaged();
      visitor_.unpacked(count);
      while (count > 0) {
        View piece;
        if ((what & 0x80) != 0) {
          copied_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(count, window)));
          piece = View(copied_).first(base.read(offset, copied_));
          offset += piece.size();
        } else {
          piece = in.some();
          piece = piece.first(static_cast<std::size_t>(std::min<std::uint64_t>(count, piece.size())));
        }
        if (piece.empty()) throw Damaged();
        result.append(piece);
        count -= piece.size();
        if ((what & 0x80) == 0) in.took(piece.size());
      }
    }
    if (result.size() != size) throw Damaged();
  }

  const Whole& pack_;
  const std::size_t id_size_;
  PackVisitor& visitor_;
  Zlib zlib_;
  Bytes copied_;
  std::vector<std::uint64_t> starts_;
  std::vector<std::uint32_t> first_child_, next_sibling_;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> by_id_;  // deltas whose base is told by (the front of) its id
  std::vector<bool> done_;
  std::size_t shown_ = 0;
  bool told_ = false;
};

}  // namespace

const char* name_of(GitObject::Type type) {
  switch (type) {
    case GitObject::Type::commit:
      return "commit";
    case GitObject::Type::tree:
      return "tree";
    case GitObject::Type::tag:
      return "tag";
    case GitObject::Type::blob:
      break;
  }
  return "blob";
}

void read_pack(const Whole& pack, std::size_t id_size, PackVisitor& visitor) {
  PackReader(pack, id_size, visitor).read();
}

std::optional<LooseHead> read_loose_head(View text) {
  for (const auto type :
       {GitObject::Type::blob, GitObject::Type::tree, GitObject::Type::commit, GitObject::Type::tag}) {
    const std::string begin = std::string(name_of(type)) + " ";
    if (!text_of(text).starts_with(begin)) continue;
    LooseHead head{type, 0, begin.size()};
    while (head.length < text.size() && head.length < begin.size() + 18 && text[head.length] >= '0' &&
           text[head.length] <= '9')
      head.size = head.size * 10 + (text[head.length++] - std::uint64_t{'0'});
    if (head.length == begin.size() || head.length >= text.size() || text[head.length] != 0) return std::nullopt;
    ++head.length;
    return head;
  }
  return std::nullopt;
}

bool begins_loose_object(View head) {
  z_stream state{};
  if (inflateInit(&state) != Z_OK) throw std::bad_alloc();
  std::uint8_t text[32];
  state.next_in = const_cast<Bytef*>(head.data());
  state.avail_in = static_cast<uInt>(head.size());
  state.next_out = text;
  state.avail_out = sizeof text;
  const int outcome = inflate(&state, Z_SYNC_FLUSH);
  const std::size_t made = sizeof text - state.avail_out;
  inflateEnd(&state);
  return (outcome == Z_OK || outcome == Z_STREAM_END || outcome == Z_BUF_ERROR) && read_loose_head({text, made});
}

}  // namespace imgbuild
