#include "context/spool.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.hpp"
#include "base/temp_dir.hpp"
#include "base/text.hpp"
#include "crypto/digest.hpp"

namespace imgbuild {
namespace {

// Bytes read at `offset`, fewer only at the end.
std::size_t read_at(int fd, std::span<std::uint8_t> into, std::uint64_t offset, const std::string& what) {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t n = ::pread(fd, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
    if (n == 0) break;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw system_error(what, errno);
    done += static_cast<std::size_t>(n);
  }
  return done;
}

}  // namespace

Spool::Spool(const std::string& folder, const std::optional<TarSeal>& expected) {
  if (!folder.empty()) file_ = Fd(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0666));
  name_ = "the context's file in " + (file_ ? printable(folder) : temp_root());
  if (!file_) {
    file_ = Fd::unnamed_file();
    hint_ = "set TMPDIR to a folder with room for the context";
  }
  if (expected) {
    seal_.key = expected->key;
    known_.emplace(seal_.key);
    return;
  }
  random_bytes(seal_.key);
  follower_ = std::thread([this] { follow(); });
}

Spool::~Spool() {
  if (!follower_.joinable()) return;
  end_follower();
}

void Spool::end_follower() {
  {
    const std::lock_guard lock(mutex_);
    complete_ = true;
  }
  changed_.notify_one();
  follower_.join();
}

void Spool::write(View bytes) {
  try {
    write_full(file_.get(), bytes, name_);
  } catch (const Error& error) {
    throw Error(error.what(), hint_);
  }
  size_ += bytes.size();
  if (known_) known_->update(bytes);
}

void Spool::settle() {
  {
    const std::lock_guard lock(mutex_);
    settled_ = size_;
    if (settled_ < wanted_) return;  // it would only wake up to sleep on
  }
  changed_.notify_one();
}

void Spool::cut_back() {
  {
    const std::lock_guard lock(mutex_);
    size_ = settled_;
  }
  if (::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0 ||
      ::lseek(file_.get(), static_cast<off_t>(size_), SEEK_SET) < 0)
    throw system_error(name_, errno);
}

std::string Spool::read(std::uint64_t begin, std::size_t size) const {
  std::string bytes(size, '\0');
  bytes.resize(read_at(file_.get(), {reinterpret_cast<std::uint8_t*>(bytes.data()), size}, begin, name_));
  return bytes;
}

void Spool::follow() {
  try {
    Sha256 hash;
    Gmac mac(seal_.key);
    Bytes piece(std::size_t{1} << 18);
    std::uint64_t done = 0;
    for (;;) {
      std::unique_lock lock(mutex_);
      wanted_ = done + piece.size();
      changed_.wait(lock, [&] { return complete_ || settled_ >= wanted_; });
      const std::uint64_t until = settled_;
      if (complete_ && done == until) {
        digest_ = hash.finish_digest();
        seal_.tag = mac.finish();
        return;
      }
      lock.unlock();
      while (done < until) {
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), until - done));
        if (read_at(file_.get(), std::span(piece).first(wanted), done, name_) != wanted)
          throw Error(name_ + ": bytes are missing");
        hash.update(View(piece).first(wanted));
        mac.update(View(piece).first(wanted));
        done += wanted;
      }
    }
  } catch (...) {
    const std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
  }
}

std::string Spool::digest() {
  if (known_) {
    seal_.tag = known_->finish();
    return {};
  }
  settle();
  end_follower();
  if (failure_) std::rethrow_exception(failure_);
  return digest_;
}

Fd Spool::take() {
  if (::lseek(file_.get(), 0, SEEK_SET) < 0) throw system_error(name_, errno);
  return std::move(file_);
}

}  // namespace imgbuild
