#include "base/secret.hpp"

#include <string.h>  // explicit_bzero
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <vector>

namespace imgbuild {
namespace {

std::atomic<std::size_t> not_locked{0};

// Secrets live in arenas of whole locked pages: locks count by page and do not nest, so that a page must not be
// shared with anything that is unlocked on its own.
class Arena {
 public:
  char* take(std::size_t size) {
    const std::lock_guard hold(mutex_);
    const std::size_t need = (size + 31) / 32 * 32;
    auto& spare = spare_[need];
    if (!spare.empty()) {
      char* at = spare.back();
      spare.pop_back();
      return at;
    }
    if (need > left_) {
      const std::size_t page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
      const std::size_t length = (std::max(need, std::size_t{16384}) + page - 1) / page * page;
      void* pages = ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (pages == MAP_FAILED) throw std::bad_alloc();
      ::madvise(pages, length, MADV_DONTDUMP);
      locked_ = ::mlock(pages, length) == 0;
      next_ = static_cast<char*>(pages);
      left_ = length;
    }
    if (!locked_) ++not_locked;
    char* at = next_;
    next_ += need;
    left_ -= need;
    return at;
  }
  void give_back(char* at, std::size_t size) noexcept {
    wipe(at, size);
    const std::lock_guard hold(mutex_);
    try {
      spare_[(size + 31) / 32 * 32].push_back(at);
    } catch (const std::bad_alloc&) {  // wiped memory that is never used again
    }
  }

 private:
  std::mutex mutex_;
  std::map<std::size_t, std::vector<char*>> spare_;
  char* next_ = nullptr;
  std::size_t left_ = 0;
  bool locked_ = true;
};

Arena& arena() {
  static auto* one = new Arena;  // outlives every static Secret
  return *one;
}

}  // namespace

Secret::Secret(std::string_view value) : size_(value.size()) {
  if (size_ == 0) return;
  data_ = arena().take(size_);
  std::memcpy(data_, value.data(), size_);
}

Secret::~Secret() {
  if (data_ != nullptr) arena().give_back(data_, size_);
}

std::size_t Secret::unlocked() noexcept { return not_locked; }

void wipe(void* data, std::size_t size) noexcept {
  if (size == 0) return;
  ::explicit_bzero(data, size);
}

void forbid_dumps() noexcept {
  ::prctl(PR_SET_DUMPABLE, 0);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
}

}  // namespace imgbuild
