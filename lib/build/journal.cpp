#include "build/journal.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <thread>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/folder.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"

namespace imgbuild {
namespace {

std::string folder() {
  const std::string state = own_folder("XDG_STATE_HOME", ".local/state");
  if (state.empty()) throw Error("no place for the build's journal", "set HOME or XDG_STATE_HOME");
  return state + "/builds";
}

constexpr int patience = 1500;      // of 20 ms
constexpr std::size_t digits = 15;  // of a digest; a place in a file has 63 bits

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

// A byte of one file for each image: read locks are claims, a write lock says that there is no other.
ImageClaim::ImageClaim(const std::string& image) {
  const std::string text = image.substr(image.rfind(':') + 1).substr(0, digits);
  if (text.size() != digits || text.find_first_not_of("0123456789abcdef") != std::string::npos) return;
  at_ = std::stoll(text, nullptr, 16);
  file_ = Fd(::open((folder() + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  for (int i = 0; i < patience && !lock(F_RDLCK); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    interrupt::check();
  }
}

bool ImageClaim::alone() {
  if (!file_ || lock(F_WRLCK)) return true;
  // The other may be about to ask the same: once none of us has a claim one of us is told so.
  lock(F_UNLCK);
  return lock(F_WRLCK);
}

bool ImageClaim::lock(short kind) {
  struct flock place {};
  place.l_type = kind;
  place.l_whence = SEEK_SET;
  place.l_start = at_;
  place.l_len = 1;
  return ::fcntl(file_.get(), F_OFD_SETLK, &place) == 0 || (errno != EAGAIN && errno != EACCES);
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
