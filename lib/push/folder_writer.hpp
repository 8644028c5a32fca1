#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "tar/reader.hpp"

namespace imgbuild {

/// Unpacks what a MergedLayers::Reading tells into a folder of the user's, as BuildKit's local exporter does: all is
/// the user's own, modes but for setuid and setgid and times are the image's; what is there already stays, but for
/// files and links of the same name, which are replaced, and modes of folders.
///
/// Every path is walked from the folder on, part by part, and no link is followed on the way, be it the image's or one
/// that lies there: nothing outside the folder is written, whatever the layers hold. Devices and pipes are left out,
/// and so are attributes. One thread. Everything throws Error "PATH: why".
class FolderWriter : public TarVisitor {
 public:
  /// Makes `folder`, and what is above it, where that is not there; links in its own path are the user's word.
  explicit FolderWriter(const std::string& folder);
  /// A file that was not written to its end goes.
  ~FolderWriter() override;
  /// Folders get their modes and times, now that nothing is put into them any more.
  void finish();

  std::uint64_t written() const { return written_; }  ///< files and links
  std::uint64_t bytes() const { return bytes_; }
  const std::vector<std::string>& left_out() const { return left_out_; }  ///< devices and pipes, by path

  void entry(const TarEntry& entry) override;
  void data(View piece) override;
  void end_entry() override;
  void stray(View, const char*) override {}

 private:
  struct Parent {
    int folder = -1;
    std::string name;
  };
  Parent parent_of(const std::string& path);
  Fd step_into(int folder, const std::string& name, const std::string& path);
  void put(const std::string& path, const Parent& at);

  Fd root_;
  std::vector<std::pair<std::string, Fd>> way_;  // the folders that are open, each in the one before it
  std::map<std::string, TarEntry> folders_;
  Fd file_;  // being written
  TarEntry entry_;
  std::string beside_;  // its name meanwhile
  std::uint64_t written_ = 0, bytes_ = 0;
  std::vector<std::string> left_out_;
};

}  // namespace imgbuild
