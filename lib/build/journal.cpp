#include "build/journal.hpp"

#include <sys/stat.h>

#include <filesystem>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/folder.hpp"
#include "base/text.hpp"

namespace imgbuild {
namespace {

std::string folder() {
  const std::string state = own_folder("XDG_STATE_HOME", ".local/state");
  if (state.empty()) throw Error("no place for the build's journal", "set HOME or XDG_STATE_HOME");
  return state + "/builds";
}

bool is_build_id(const std::string& name) {
  return name.size() == 16 && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

void write_journal(const JournalEntry& entry) {
  const std::string where = folder();
  std::error_code trouble;
  std::filesystem::create_directories(where, trouble);
  if (trouble) throw system_error(where, trouble.value());
  std::string text = "engine " + entry.engine + "\n";
  for (const std::string& image : entry.images) text += "image " + image + "\n";
  if (entry.kept) text += "kept\n";
  write_file(where + "/" + entry.build, text, 0600);
}

void forget_journal(const std::string& build) noexcept {
  try {
    std::error_code ignored;
    std::filesystem::remove(folder() + "/" + build, ignored);
  } catch (const std::exception&) {  // without a place there is no journal
  }
}

std::vector<JournalEntry> read_journal() {
  std::vector<JournalEntry> entries;
  std::error_code none;
  for (const auto& file : std::filesystem::directory_iterator(folder(), none)) {
    JournalEntry entry;
    entry.build = file.path().filename().string();
    if (!is_build_id(entry.build)) continue;
    for (const std::string& line : split(read_file(file.path().string(), std::size_t{1} << 20), '\n')) {
      if (line.starts_with("engine ")) entry.engine = line.substr(7);
      if (line.starts_with("image ")) entry.images.push_back(line.substr(6));
      if (line == "kept") entry.kept = true;
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace imgbuild
