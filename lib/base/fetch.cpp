#include "base/fetch.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"

namespace imgbuild {
namespace {

class LocalFetch : public Fetch {
 public:
  void want(const std::string& folder, const std::string& path) override { wanted_.push_back({folder, path}); }

  std::optional<std::uint64_t> begin() override {
    const auto [folder, path] = std::move(wanted_.front());
    wanted_.pop_front();
    name_ = printable(path);
    struct stat facts = {};
    if (!open(folder, path) || ::fstat(file_.get(), &facts) != 0)
      why_ = system_error(name_, errno).what();
    else if (!S_ISREG(facts.st_mode))
      why_ = name_ + ": is no file";
    else
      return left_ = static_cast<std::uint64_t>(facts.st_size);
    file_.reset();
    return std::nullopt;
  }

  std::size_t read(std::span<std::uint8_t> into) override {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), left_));
    if (wanted == 0) return 0;
    if (read_full(file_.get(), into.first(wanted), name_) < wanted)
      throw Error(name_ + ": became shorter while it was read");
    if ((left_ -= wanted) == 0) file_.reset();
    return wanted;
  }

  const std::string& why() const override { return why_; }

 private:
  struct Wanted {
    std::string folder, path;
  };

  bool open(const std::string& folder, const std::string& path) {
    if (!folder_ || folder != folder_name_) {
      folder_ = Fd(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      folder_name_ = folder;
      if (!folder_) return false;
    }
    open_how how = {};
    how.flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    file_ = Fd(static_cast<int>(::syscall(SYS_openat2, folder_.get(), path.c_str(), &how, sizeof how)));
    return static_cast<bool>(file_);
  }

  std::deque<Wanted> wanted_;
  std::string folder_name_, name_, why_;
  Fd folder_, file_;
  std::uint64_t left_ = 0;
};

}  // namespace

std::unique_ptr<Fetch> local_fetch() { return std::make_unique<LocalFetch>(); }

std::optional<std::string> fetch_whole(Fetch& fetch, const std::string& folder, const std::string& path,
                                       std::size_t most) {
  fetch.want(folder, path);
  const auto size = fetch.begin();
  if (!size) return std::nullopt;
  std::string content(static_cast<std::size_t>(std::min<std::uint64_t>(*size, most)), '\0');
  const auto bytes = std::span(reinterpret_cast<std::uint8_t*>(content.data()), content.size());
  if (fetch.read(bytes) < bytes.size()) return std::nullopt;
  if (*size <= most) return content;
  // What is left is read and dropped, so that another can be wanted.
  Bytes rest(std::size_t{64} << 10);
  while (fetch.read(rest) > 0) {
  }
  return std::nullopt;
}

}  // namespace imgbuild
