#include "audit/record_store.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <tuple>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/folder.hpp"
#include "base/text.hpp"
#include "crypto/digest.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t mac_size = 32, key_size = 32;
constexpr std::uint64_t longest = std::uint64_t{256} << 20;

bool is_record_name(const std::string& name) {
  return name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// Ours, and nobody else may write it.
bool is_ours(const struct stat& facts, mode_t kind) {
  return (facts.st_mode & S_IFMT) == kind && facts.st_uid == ::geteuid() && (facts.st_mode & 022) == 0;
}

bool make_folder(const std::string& path) {
  std::error_code trouble;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), trouble);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return false;
  struct stat facts = {};
  return ::lstat(path.c_str(), &facts) == 0 && is_ours(facts, S_IFDIR);
}

// The file's bytes, where it is ours.
std::optional<Bytes> read_ours(const std::string& path, mode_t forbidden) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat facts = {};
  if (!file || ::fstat(file.get(), &facts) != 0 || !is_ours(facts, S_IFREG) || (facts.st_mode & forbidden) != 0 ||
      static_cast<std::uint64_t>(facts.st_size) > longest)
    return std::nullopt;
  Bytes bytes(static_cast<std::size_t>(facts.st_size));
  if (read_full(file.get(), bytes, path) != bytes.size()) return std::nullopt;
  return bytes;
}

// The key, made where there is none. Of two processes that make one, the first one's stands.
std::optional<Bytes> key_in(const std::string& folder) {
  const std::string path = folder + "/cache.key";
  for (int attempt = 0; attempt < 3; ++attempt) {
    if (auto key = read_ours(path, 077); key && key->size() == key_size) return key;
    struct stat facts = {};
    // Just made by another process; or somebody's, or damaged, which is for a person to look at.
    if (::lstat(path.c_str(), &facts) == 0) continue;
    std::string fresh = folder + "/key.XXXXXX";
    const Fd file(::mkostemp(fresh.data(), O_CLOEXEC));
    if (!file) return std::nullopt;
    Bytes key(key_size);
    random_bytes(key);
    write_full(file.get(), key, fresh);
    const bool stands = ::link(fresh.c_str(), path.c_str()) == 0 || errno == EEXIST;
    ::unlink(fresh.c_str());
    if (!stands) return std::nullopt;
  }
  return std::nullopt;
}

// The name is part of what is signed: a record that was moved to another's name is not that other.
std::array<std::uint8_t, mac_size> mac_of(const Bytes& key, const std::string& name, View content) {
  Bytes signed_bytes(name.begin(), name.end());
  const auto digest = sha256(content);
  signed_bytes.insert(signed_bytes.end(), digest.begin(), digest.end());
  return hmac_sha256(key, signed_bytes);
}

// Takes as long for a forged one whatever is wrong with it.
bool same(View a, View b) {
  std::uint8_t difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
  return difference == 0;
}

}  // namespace

std::unique_ptr<RecordStore> RecordStore::open() {
  const std::string cache = own_folder("XDG_CACHE_HOME", ".cache");
  const std::string state = own_folder("XDG_STATE_HOME", ".local/state");
  if (cache.empty() || state.empty()) return nullptr;
  try {
    if (!make_folder(state) || !make_folder(cache) || !make_folder(cache + "/layers")) return nullptr;
    auto key = key_in(state);
    if (!key) return nullptr;
    return std::unique_ptr<RecordStore>(new RecordStore(cache + "/layers", std::move(*key)));
  } catch (const Error&) {
    return nullptr;
  }
}

std::optional<Bytes> RecordStore::read(const std::string& name) const {
  auto bytes = read_ours(folder_ + "/" + name, 022);
  if (!bytes || bytes->size() < mac_size) return std::nullopt;
  const View content = View(*bytes).first(bytes->size() - mac_size);
  if (!same(mac_of(key_, name, content), View(*bytes).last(mac_size))) return std::nullopt;
  bytes->resize(content.size());
  return bytes;
}

std::optional<Bytes> RecordStore::get(const std::string& name) const {
  if (!is_record_name(name)) return std::nullopt;
  try {
    auto record = read(name);
    if (record) ::utimensat(AT_FDCWD, (folder_ + "/" + name).c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
    return record;
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool RecordStore::put(const std::string& name, View record) const {
  if (!is_record_name(name) || record.size() > longest - mac_size) return false;
  std::string content(reinterpret_cast<const char*>(record.data()), record.size());
  const auto mac = mac_of(key_, name, record);
  content.append(reinterpret_cast<const char*>(mac.data()), mac.size());
  try {
    write_file(folder_ + "/" + name, content, 0600);
    return true;
  } catch (const Error&) {
    return false;
  }
}

void RecordStore::remove(const std::string& name) const {
  if (is_record_name(name)) ::unlink((folder_ + "/" + name).c_str());
}

std::string RecordStore::name_for(View bytes) const {
  // Never what mac_of() makes: that begins with a name, this with a word that is none.
  Bytes named{'n', 'a', 'm', 'e', ' '};
  const auto digest = sha256(bytes);
  named.insert(named.end(), digest.begin(), digest.end());
  return hex(hmac_sha256(key_, named));
}

std::vector<RecordStore::Item> RecordStore::list() const {
  std::vector<Item> items;
  std::error_code none;
  for (const auto& file : std::filesystem::directory_iterator(folder_, none)) {
    struct stat facts = {};
    if (::lstat(file.path().c_str(), &facts) != 0) continue;
    items.push_back(
        {file.path().filename().string(), static_cast<std::uint64_t>(facts.st_size), facts.st_mtime, false});
  }
  std::sort(items.begin(), items.end(),
            [](const Item& a, const Item& b) { return std::tie(a.used, a.name) < std::tie(b.used, b.name); });
  return items;
}

std::vector<RecordStore::Item> RecordStore::verify() const {
  std::vector<Item> items = list();
  for (Item& item : items) {
    try {
      item.good = is_record_name(item.name) && read(item.name).has_value();
    } catch (const Error&) {
      item.good = false;
    }
  }
  return items;
}

std::vector<RecordStore::Item> RecordStore::prune(std::int64_t since, std::uint64_t most_bytes) const {
  std::vector<Item> removed, kept;
  std::uint64_t left = 0;
  const auto remove = [&](const Item& item) {
    if (::unlink((folder_ + "/" + item.name).c_str()) == 0) removed.push_back(item);
  };
  for (const Item& item : verify()) {
    // A file that another process is just writing has no record's name yet; give it an hour.
    if (!is_record_name(item.name) && item.used > std::time(nullptr) - 3600) continue;
    if (!item.good || item.used < since) {
      remove(item);
    } else {
      left += item.bytes;
      kept.push_back(item);
    }
  }
  for (auto oldest = kept.begin(); oldest != kept.end() && left > most_bytes; ++oldest) {
    left -= oldest->bytes;
    remove(*oldest);
  }
  return removed;
}

}  // namespace imgbuild
