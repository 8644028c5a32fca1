#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/bytes.hpp"

namespace imgbuild {

/// Regular files of one machine, by whoever can read them there, in the order in which they are wanted. Whoever is far
/// away is told of many before the first is read. One thread.
class Fetch {
 public:
  virtual ~Fetch() = default;
  /// Wants a file, behind those that are wanted already: `path` below `folder`, whose links, on the way and at its end,
  /// lead where they lead in a root of that folder's own. What is wanted must be read.
  virtual void want(const std::string& folder, const std::string& path) = 0;
  /// Begins with the first that is wanted: its size in bytes; nullopt where it is none, or cannot be read, and why()
  /// then says what hinders.
  virtual std::optional<std::uint64_t> begin() = 0;
  /// Bytes of it, as many as there are room for; fewer at its end only. Throws Error where they cannot be had.
  virtual std::size_t read(std::span<std::uint8_t> into) = 0;
  virtual const std::string& why() const = 0;
};

/// Files of this machine, as this process may read them.
std::unique_ptr<Fetch> local_fetch();

/// A whole file; nullopt where it cannot be read, or has more than `most` bytes. Throws as Fetch::read() does.
std::optional<std::string> fetch_whole(Fetch& fetch, const std::string& folder, const std::string& path,
                                       std::size_t most);

/// One file as a stream, by a Fetch of its own.
class FetchSource : public Source {
 public:
  /// `fetch` has begun with the file.
  explicit FetchSource(std::unique_ptr<Fetch> fetch) : fetch_(std::move(fetch)) {}
  View next() override { return View(piece_).first(fetch_->read(piece_)); }

 private:
  std::unique_ptr<Fetch> fetch_;
  Bytes piece_ = Bytes(std::size_t{256} << 10);
};

}  // namespace imgbuild
