#pragma once
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "context/seen.hpp"
#include "crypto/gmac.hpp"

namespace imgbuild {

/// A file without a name that grows, and can be cut back to where it was last settled. What is settled is digested and
/// sealed meanwhile by a thread of its own. Throws Error (disk full...). One thread.
class Spool {
 public:
  /// In `folder`, where that can be and it is not empty; else in the folder for temporary files.
  /// `expected`: it will be the tar of that seal, is not digested, and not cut back.
  explicit Spool(const std::string& folder = {}, const std::optional<TarSeal>& expected = {});
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;
  ~Spool();

  void write(View bytes);
  std::uint64_t size() const { return size_; }
  /// What has been written will stay.
  void settle();
  /// Forgets what was written since it was last settled.
  void cut_back();
  /// Bytes [begin, begin + size) of what has been written.
  std::string read(std::uint64_t begin, std::size_t size) const;
  /// Settles, and gives the digest of all: "sha256:..."; empty where a seal was expected. Once.
  std::string digest();
  /// After digest().
  const TarSeal& seal() const { return seal_; }
  /// The file, positioned at 0. Last.
  Fd take();

 private:
  void follow();
  void end_follower();

  Fd file_;
  std::string name_, hint_;
  std::uint64_t size_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t settled_ = 0;  // under mutex_, as all below
  std::uint64_t wanted_ = 0;   // the follower sleeps until so much is settled
  bool complete_ = false;
  std::string digest_;
  std::exception_ptr failure_;
  std::thread follower_;

  TarSeal seal_;
  std::optional<Gmac> known_;
};

}  // namespace imgbuild
