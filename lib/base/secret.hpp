#pragma once
#include <cstddef>
#include <string_view>
#include <utility>

#include "base/bytes.hpp"

namespace imgbuild {

/// A secret value: in locked memory of its own that is wiped when it goes, never copied by accident. What does not
/// fit RLIMIT_MEMLOCK is held all the same and counted (unlocked()), so that the program can warn.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view value);
  Secret(Secret&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Secret& operator=(Secret&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Secret();

  /// The value, for as long as the Secret lives. Not for logs, messages, files, argv or an environment.
  std::string_view reveal() const noexcept { return {data_, size_}; }
  bool empty() const noexcept { return size_ == 0; }

  /// How many secrets of this process could not be locked into memory.
  static std::size_t unlocked() noexcept;

 private:
  char* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Overwrites memory so that no compiler leaves it out.
void wipe(void* data, std::size_t size) noexcept;

/// Makes the process undumpable (no core, no ptrace by the same user, /proc/PID/mem closed). Once, by main.
void forbid_dumps() noexcept;

}  // namespace imgbuild
