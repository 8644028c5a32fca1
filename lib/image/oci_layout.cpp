#include "image/oci_layout.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/error.hpp"
#include "base/folder.hpp"
#include "base/text.hpp"
#include "crypto/digest.hpp"

namespace imgbuild {
namespace {

struct OpenFile {
  Fd fd;
  struct stat facts {};
};

/// A file of the layout; nullopt where there is none. Links are followed (blobs are shared by links); what is no plain
/// file is not opened for good: a pipe would be waited for.
std::optional<OpenFile> open_file(const Fd& folder, const std::string& name) {
  OpenFile file{Fd(::openat(folder.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)), {}};
  if (!file.fd) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw system_error(name, errno);
  }
  if (::fstat(file.fd.get(), &file.facts) != 0) throw system_error(name, errno);
  if (!S_ISREG(file.facts.st_mode)) throw Error(printable(name) + ": is no plain file");
  return file;
}

std::string text_of_file(const OpenFile& file, const std::string& name) {
  if (static_cast<std::uint64_t>(file.facts.st_size) > most_manifest)
    throw Error(printable(name) + ": larger than " + human_size(most_manifest));
  std::string text(static_cast<std::size_t>(file.facts.st_size), '\0');
  text.resize(read_full(file.fd.get(), {reinterpret_cast<std::uint8_t*>(text.data()), text.size()}, name));
  return text;
}

std::string identity_of(const struct stat& facts) {
  std::string text;
  for (const auto number : {static_cast<long long>(facts.st_dev), static_cast<long long>(facts.st_ino),
                            static_cast<long long>(facts.st_size), static_cast<long long>(facts.st_mtim.tv_sec),
                            static_cast<long long>(facts.st_mtim.tv_nsec), static_cast<long long>(facts.st_ctim.tv_sec),
                            static_cast<long long>(facts.st_ctim.tv_nsec)})
    text += std::to_string(number) + ":";
  return text;
}

}  // namespace

OciFolder::OciFolder(const std::string& path) : folder_(Fd::open(path, O_RDONLY | O_DIRECTORY)) {}

ImageStore::Root OciFolder::root() {
  const auto file = open_file(folder_, "index.json");
  if (!file)
    throw Error("no OCI image layout: it has no index.json",
                "skopeo copy docker-daemon:NAME oci:DIR makes one; an unpacked root file system is dir:PATH");
  return {"index.json", text_of_file(*file, "index.json"), true};
}

std::optional<std::string> OciFolder::manifest(const Descriptor& descriptor) {
  const auto file = open_file(folder_, descriptor.path());
  if (!file) return std::nullopt;
  return text_of_file(*file, descriptor.path());
}

std::optional<ImageStore::Blob> OciFolder::blob(const Descriptor& descriptor) {
  const std::string name = descriptor.path();
  const auto file = open_file(folder_, name);
  if (!file) return std::nullopt;
  const std::lock_guard lock(mutex_);
  auto at = mapped_.find(name);
  if (at == mapped_.end()) at = mapped_.emplace(name, Mapping(file->fd, name)).first;
  return Blob{at->second.bytes(), nullptr, identity_of(file->facts)};
}

std::vector<std::string> OciFolder::all_blobs() const {
  std::vector<std::string> digests;
  const Fd blobs(::openat(folder_.get(), "blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!blobs && (errno == ENOENT || errno == ENOTDIR)) return digests;
  if (!blobs) throw system_error("blobs/sha256", errno);
  for (const auto& [hex, type] : entries_of(blobs.get(), "blobs/sha256")) {
    struct stat facts {};
    if (::fstatat(blobs.get(), hex.c_str(), &facts, 0) == 0 && S_ISREG(facts.st_mode))
      digests.push_back("sha256:" + hex);
  }
  return digests;
}

std::vector<std::string> OciFolder::beside() const {
  constexpr std::size_t most = 50'000;
  std::vector<std::string> files, folders{"."};
  while (!folders.empty()) {
    const std::string path = std::move(folders.back());
    folders.pop_back();
    // A link to a folder leads out of the layout, or round in it.
    const Fd folder(::openat(folder_.get(), path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!folder) throw system_error(printable(path), errno);
    for (const auto& [each, type] : entries_of(folder.get(), printable(path))) {
      const std::string name = path == "." ? each : path + "/" + each;
      struct stat facts {};
      if (name == "index.json" || name == "blobs" ||
          ::fstatat(folder.get(), each.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0)
        continue;
      if (S_ISDIR(facts.st_mode)) folders.push_back(name);
      if (S_ISLNK(facts.st_mode) && ::fstatat(folder.get(), each.c_str(), &facts, 0) != 0) continue;
      if (S_ISREG(facts.st_mode)) files.push_back(name);
      if (files.size() + folders.size() > most)
        throw Error("more than " + std::to_string(most) + " files beside its blobs");
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

View OciFolder::content(const std::string& name) {
  const auto file = open_file(folder_, name);
  if (!file) return {};
  const std::lock_guard lock(mutex_);
  auto at = mapped_.find(name);
  if (at == mapped_.end()) at = mapped_.emplace(name, Mapping(file->fd, name)).first;
  return at->second.bytes();
}

}  // namespace imgbuild
