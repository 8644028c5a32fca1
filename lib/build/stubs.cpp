#include "build/stubs.hpp"

#include <unistd.h>
#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "tar/archive.hpp"
#include "tar/reader.hpp"

namespace imgbuild {
namespace {

constexpr std::array mounted = {
    "etc/hosts", "etc/hostname", "etc/resolv.conf", "run/.containerenv", "run/secrets", "etc/mtab", "proc",
    "sys",       "dev"};

// The newest layer's bytes, taken out of the archive.
class Newest : public TarVisitor {
 public:
  explicit Newest(std::string name) : name_(std::move(name)) {}
  void entry(const TarEntry& entry) override { inside_ = entry.path.find(name_) != std::string::npos; }
  void data(View piece) override {
    if (inside_) write_full(layer.get(), piece, "a layer");
  }
  void end_entry() override { inside_ = false; }
  void stray(View, const char*) override {}

  Fd layer = Fd::unnamed_file();

 private:
  std::string name_;
  bool inside_ = false;
};

std::string plain(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  while (path.starts_with('/')) path.remove_prefix(1);
  return std::string(path);
}

class Stubs : public TarVisitor {
 public:
  explicit Stubs(const std::vector<std::string>& volumes) : mounts_(mounted.begin(), mounted.end()) {
    for (const std::string& volume : volumes) mounts_.push_back(plain(volume));
  }
  void entry(const TarEntry& entry) override {
    const std::string path = plain(entry.path);
    if (entry.size == 0 && std::find(mounts_.begin(), mounts_.end(), path) != mounts_.end()) found.push_back(path);
  }
  void data(View) override {}
  void end_entry() override {}
  void stray(View, const char*) override {}

  std::vector<std::string> found;

 private:
  std::vector<std::string> mounts_;
};

}  // namespace

std::vector<std::string> stubs_of(Source& archive, const std::vector<std::string>& diff_ids,
                                  const std::vector<std::string>& volumes) {
  if (diff_ids.empty()) return {};
  Newest newest(diff_ids.back().substr(diff_ids.back().find(':') + 1));
  read_tar(archive, newest);
  const Mapping layer(newest.layer, "a layer");
  ViewSource bytes(layer.bytes());
  Stubs stubs(volumes);
  read_tar(bytes, stubs);
  return stubs.found;
}

}  // namespace imgbuild
