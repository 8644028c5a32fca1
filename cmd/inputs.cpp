#include "inputs.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t largest_secret = std::size_t{1} << 20;

// Memory for a moment, wiped however it is left.
class Buffer {
 public:
  explicit Buffer(std::size_t size) : bytes_(size) {}
  ~Buffer() { wipe(bytes_.data(), bytes_.size()); }
  std::span<std::uint8_t> all() { return bytes_; }

 private:
  Bytes bytes_;
};

Secret secret_from(int file, const std::string& what) {
  Buffer buffer(largest_secret + 1);
  const std::size_t size = read_full(file, buffer.all(), what);
  if (size > largest_secret) throw usage_error(what + ": larger than 1 MiB");
  return Secret({reinterpret_cast<const char*>(buffer.all().data()), size});
}

}  // namespace

Secret SecretVariables::read(const std::string& what, const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) throw usage_error(what + ": $" + printable(name) + " is not set");
  read_.insert(name);
  return Secret(value);
}

void SecretVariables::forget() noexcept {
  for (const auto& name : read_) {
    if (char* value = std::getenv(name.c_str())) wipe(value, std::char_traits<char>::length(value));
    ::unsetenv(name.c_str());
  }
  read_.clear();
}

Secret secret_from_file(const std::string& what, const std::string& path) {
  try {
    const Fd file = Fd::open(path, O_RDONLY);
    struct stat facts {};
    if (::fstat(file.get(), &facts) == 0 && S_ISDIR(facts.st_mode)) throw Error(printable(path) + ": is a directory");
    return secret_from(file.get(), printable(path));
  } catch (const Error& error) {
    throw usage_error(what + ": " + error.what());
  }
}

Secret secret_from_input(const std::string& what) {
  if (::isatty(STDIN_FILENO) == 1) throw usage_error(what + ": standard input is a terminal");
  try {
    return secret_from(STDIN_FILENO, "standard input");
  } catch (const Error& error) {
    throw usage_error(what + ": " + error.what());
  }
}

}  // namespace imgbuild
