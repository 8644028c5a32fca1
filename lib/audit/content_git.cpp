#include "audit/content_git.hpp"

#include <algorithm>

#include "audit/content.hpp"
#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "git/pack.hpp"

namespace imgbuild {
namespace {

/// Calls `take` with the first `size` bytes of a Whole, window by window.
template <class Take>
void each_part(const Whole& whole, std::uint64_t size, Take take) {
  Bytes buffer(static_cast<std::size_t>(std::min<std::uint64_t>(size, std::size_t{256} << 10)));
  for (std::uint64_t at = 0; at < size;) {
    const std::uint64_t wanted = std::min<std::uint64_t>(size - at, buffer.size());
    const std::size_t count = whole.read(at, std::span(buffer).first(static_cast<std::size_t>(wanted)));
    if (count == 0) return;
    take(View(buffer).first(count));
    at += count;
  }
}

template <class Hash>
Bytes hash_of(std::string_view before, const Whole& content, std::uint64_t size) {
  Hash hash;
  hash.update(view_of(before));
  each_part(content, size, [&](View piece) { hash.update(piece); });
  const auto made = hash.finish();
  return Bytes(made.begin(), made.end());
}

class Objects : public PackVisitor {
 public:
  Objects(const Desk& desk, const Where& where, std::uint64_t packed, std::size_t id_size)
      : desk_(desk),
        where_(where),
        texts_(desk),
        id_size_(id_size),
        most_unpacked_(std::max<std::uint64_t>(std::uint64_t{4} << 30, packed * 1000)) {
    where_.kind = Location::Kind::git;
    where_.decoded.clear();
    ++where_.depth;
  }

  Bytes id_of(GitObject::Type type, const Whole& content) override {
    const std::string head = std::string(name_of(type)) + " " + std::to_string(content.size()) + std::string(1, '\0');
    return id_size_ == 20 ? hash_of<Sha1>(head, content, content.size())
                          : hash_of<Sha256>(head, content, content.size());
  }

  void object(GitObject::Type type, const Bytes& id, const Whole& content) override {
    where_.record->opened_git_object();
    Where place = where_;
    place.inside.push_back(std::string(name_of(type)) + " " + hex(id));
    if (type != GitObject::Type::blob && content.size() <= most_text) {
      texts_.add(place, text_of(content.part(0, most_text)));
      return;
    }
    ContentReader reader(desk_, std::move(place));
    feed_whole(desk_, reader, content);
    reader.finish();
  }

  void unpacked(std::uint64_t bytes) override {
    unpacked_ += bytes;
    if (unpacked_ > most_unpacked_) throw Limit("unpacks to more than " + human_size(most_unpacked_));
  }
  void unreadable(const std::string& why) override {
    if (why_not.empty()) why_not = why;
  }
  void finish() { texts_.flush(); }

  std::string why_not;

 private:
  static constexpr std::size_t most_text = std::size_t{64} << 10;

  const Desk& desk_;
  Where where_;
  Texts texts_;
  const std::size_t id_size_;
  const std::uint64_t most_unpacked_;
  std::uint64_t unpacked_ = 0;
};

/// How long the pack's hash of itself is, which says how long its ids are; 0 where it has none that holds.
std::size_t id_size_of(const Whole& pack) {
  const auto holds = [&](auto hash, std::size_t size) {
    if (pack.size() < size) return false;
    each_part(pack, pack.size() - size, [&](View piece) { hash.update(piece); });
    const auto made = hash.finish();
    const Bytes said = pack.part(pack.size() - size, size);
    return std::equal(made.begin(), made.end(), said.begin(), said.end());
  };
  return holds(Sha1(), 20) ? 20 : holds(Sha256(), 32) ? 32 : 0;
}

}  // namespace

std::string look_at_pack(const Desk& desk, const Where& where, const Whole& pack) {
  const std::size_t id_size = id_size_of(pack);
  Objects objects(desk, where, pack.size(), id_size == 0 ? 20 : id_size);
  try {
    read_pack(pack, id_size == 0 ? 20 : id_size, objects);
  } catch (const Error&) {
    objects.finish();
    throw;
  }
  objects.finish();
  return objects.why_not.empty() && id_size == 0 ? "damaged git pack" : objects.why_not;
}

void look_at_loose_object(const Desk& desk, const Where& where, const Whole& packed) {
  ByteStore text;
  Objects objects(desk, where, packed.size(), 20);
  Bytes buffer(std::size_t{64} << 10);
  Inflater inflater(
      Container::zlib, [&] { return std::span(buffer); },
      [&](View filled) {
        objects.unpacked(filled.size());
        text.append(filled);
      });
  std::string why;
  try {
    each_part(packed, packed.size(), [&](View piece) { inflater.feed(piece); });
    inflater.finish();
  } catch (const Limit&) {
    throw;
  } catch (const Error&) {
    inflater.flush();
    why = "damaged git object";
  }
  const auto head = read_loose_head(text.part(0, 64));
  if (!head) throw Error("damaged git object");
  if (text.size() - head->length != head->size) why = "damaged git object";
  // Its id is the hash of all of it, as long as the repository's others; the one that everybody has is told.
  ByteStore content;
  each_part(text, text.size(), [&, skip = head->length](View piece) mutable {
    const std::size_t dropped = std::min(skip, piece.size());
    skip -= dropped;
    content.append(piece.subspan(dropped));
  });
  objects.object(head->type, objects.id_of(head->type, content), content);
  objects.finish();
  if (!why.empty()) throw Error(why);
}

}  // namespace imgbuild
