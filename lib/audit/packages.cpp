// Package records, read for one question: which package brought this file? A record is read when it comes by, before
// anybody knows what will be found, so what is kept is small: a hash for each file that it names. dpkg tells files and
// versions in different places; they are joined when asked.
//
// Formats: deb-src-control(5), dpkg's info/NAME.list and NAME.md5sums; apk's installed database (a letter, a colon, a
// value; F: is a folder, R: a file in it); Python's RECORD (CSV; packaging.python.org, "Recording installed projects").
#include "audit/packages.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <tuple>

#include "audit/rpm_records.hpp"
#include "base/text.hpp"

namespace imgbuild {
namespace {

/// How many names all records of the process together may keep (32 MB): more than ten large distributions have.
constexpr std::size_t most_files = 2'000'000;
constexpr std::size_t most_packages = 100'000;  // of one layer
std::atomic<std::size_t> files_kept{0};

std::uint64_t hash_of(std::string_view path) { return std::hash<std::string_view>()(path); }

std::string_view file_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }
std::string_view folder_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

/// Calls `use` with each line, without its end.
template <class Use>
void each_line(std::string_view text, Use use) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    use(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

bool is_sane(std::string_view word) { return !word.empty() && word.size() <= 200; }

/// A file's path in a folder; empty where no system has one so long: a hostile record may repeat a long folder for each
/// of a million names.
std::string joined(std::string_view folder, std::string_view name) {
  constexpr std::size_t most = 4096;
  if (folder.size() + name.size() >= most) return {};
  return folder.empty() ? std::string(name) : std::string(folder).append("/").append(name);
}

/// "a/./b/../c" is "a/c"; empty where it leads out of the root.
std::string normal(const std::string& path) {
  const std::string short_one = std::filesystem::path(path).lexically_normal();
  return short_one.starts_with("..") ? "" : short_one;
}

/// The first field of a line of CSV, its quotes taken off.
std::string csv_field(std::string_view line) {
  if (!line.starts_with('"')) return std::string(line.substr(0, line.find(',')));
  std::string field;
  for (std::size_t i = 1; i < line.size(); ++i) {
    if (line[i] == '"' && (i + 1 == line.size() || line[++i] != '"')) break;
    field += line[i];
  }
  return field;
}

constexpr std::string_view dpkg_info = "var/lib/dpkg/info/", dpkg_status = "var/lib/dpkg/status",
                           dpkg_status_d = "var/lib/dpkg/status.d/";

bool is_apk(std::string_view path) { return path == "lib/apk/db/installed" || path == "usr/lib/apk/db/installed"; }
bool is_rpm(std::string_view path) {
  return path == "var/lib/rpm/rpmdb.sqlite" || path == "usr/lib/sysimage/rpm/rpmdb.sqlite";
}
bool is_python(std::string_view path) { return path.ends_with(".dist-info/RECORD"); }

}  // namespace

bool is_package_record(std::string_view path) {
  if (path.starts_with(dpkg_info)) return path.ends_with(".list") || path.ends_with(".md5sums");
  return path == dpkg_status || path.starts_with(dpkg_status_d) || is_apk(path) || is_rpm(path) || is_python(path);
}

PackageRecords::~PackageRecords() { files_kept -= files_.size(); }

void PackageRecords::add(std::string_view path, View content) {
  const std::string_view text = text_of(content), name = file_name(path);
  const std::lock_guard hold(mutex_);
  sorted_ = false;
  const bool sums = name.ends_with(".md5sums");
  if (path.starts_with(dpkg_info) || (path.starts_with(dpkg_status_d) && sums))
    add_dpkg_list(text, name.substr(0, name.rfind('.')), sums);
  else if (path == dpkg_status || path.starts_with(dpkg_status_d))
    add_dpkg_status(text);
  else if (is_apk(path))
    add_apk(text);
  else if (is_python(path))
    add_python(text, folder_of(path));
  else if (is_rpm(path))
    each_rpm_header(content, [this](View header) { add_rpm(header); });
}

std::uint32_t PackageRecords::package(const char* manager, std::string_view name, std::string_view version) {
  if (packages_.size() >= most_packages || !is_sane(name) || version.size() > 200) return 0;
  packages_.push_back({manager, std::string(name), std::string(version)});
  return static_cast<std::uint32_t>(packages_.size());
}

void PackageRecords::file(std::string_view path, std::uint32_t package) {
  while (path.starts_with('/')) path.remove_prefix(1);
  if (package == 0 || path.empty()) return;
  if (files_kept.fetch_add(1) >= most_files) {
    --files_kept;
    return;
  }
  files_.push_back({hash_of(path), package - 1});
}

void PackageRecords::add_dpkg_status(std::string_view text) {
  std::string_view name;
  each_line(text, [&](std::string_view line) {
    if (line.empty()) name = {};
    if (line.starts_with("Package:")) name = trim(line.substr(8));
    if (!line.starts_with("Version:") || !is_sane(name) || versions_.size() >= most_packages) return;
    if (const auto version = trim(line.substr(8)); is_sane(version)) versions_[std::string(name)] = version;
  });
}

void PackageRecords::add_dpkg_list(std::string_view text, std::string_view name, bool sums) {
  const std::uint32_t owner = package("dpkg", name.substr(0, name.find(':')), "");
  each_line(text, [&](std::string_view line) {
    if (sums) {  // 32 hex digits, two blanks
      if (line.size() < 35) return;
      line.remove_prefix(34);
    }
    file(line, owner);
  });
}

void PackageRecords::add_apk(std::string_view text) {
  std::string_view name, version, folder;
  std::uint32_t owner = 0;
  each_line(text, [&](std::string_view line) {
    if (line.empty()) {
      name = version = folder = {};
      owner = 0;
    }
    if (line.size() < 2 || line[1] != ':') return;
    const std::string_view value = line.substr(2);
    if (line[0] == 'P') name = value;
    if (line[0] == 'V') version = value;
    if (line[0] == 'F') folder = value;
    if (line[0] != 'R') return;
    if (owner == 0) owner = package("apk", name, version);
    file(joined(folder, value), owner);
  });
}

void PackageRecords::add_python(std::string_view text, std::string_view folder) {
  std::string_view name = file_name(folder);
  name.remove_suffix(std::string_view(".dist-info").size());
  const std::size_t dash = name.rfind('-');
  if (dash == std::string_view::npos) return;
  const std::string_view site = folder_of(folder);
  const std::uint32_t owner = package("python", name.substr(0, dash), name.substr(dash + 1));
  each_line(text, [&](std::string_view line) {
    const std::string path = csv_field(line);
    file(normal(joined(path.starts_with('/') ? "" : site, path)), owner);
  });
}

void PackageRecords::add_rpm(View header) {
  const RpmPackage read = read_rpm_header(header);
  const std::uint32_t owner = read.name.empty() ? 0 : package("rpm", read.name, read.version);
  for (const auto& path : read.files) file(path, owner);
}

const PackageRecords::Package* PackageRecords::owner(std::string_view path) const {
  if (!sorted_) {
    std::sort(files_.begin(), files_.end(),
              [](const File& a, const File& b) { return a.hash != b.hash ? a.hash < b.hash : a.package < b.package; });
    sorted_ = true;
  }
  const Package* found = nullptr;
  const std::uint64_t hash = hash_of(path);
  auto at = std::lower_bound(files_.begin(), files_.end(), hash,
                             [](const File& one, std::uint64_t sought) { return one.hash < sought; });
  // Of several, the system's before Python's, then by name: threads read records in any order.
  for (; at != files_.end() && at->hash == hash; ++at) {
    const Package& one = packages_[at->package];
    const auto key = [](const Package& package) {
      return std::tuple(std::string_view(package.manager) == "python", package.name, package.version);
    };
    if (found == nullptr || key(one) < key(*found)) found = &one;
  }
  return found;
}

std::string_view PackageRecords::version(const std::string& name) const {
  const auto at = versions_.find(name);
  return at == versions_.end() ? std::string_view() : at->second;
}

Bytes PackageRecords::write() const {
  nlohmann::json packages = nlohmann::json::array();
  for (const Package& one : packages_) packages.push_back({one.manager, one.name, one.version});
  const auto* files = reinterpret_cast<const std::uint8_t*>(files_.data());
  return nlohmann::json::to_cbor(nlohmann::json::array(
      {packages, versions_, nlohmann::json::binary({files, files + files_.size() * sizeof(File)})}));
}

void PackageRecords::read(View written) {
  static constexpr const char* managers[] = {"dpkg", "apk", "rpm", "python"};
  const auto all = nlohmann::json::from_cbor(written.begin(), written.end());
  for (const auto& one : all.at(0)) {
    const auto manager = std::find(std::begin(managers), std::end(managers), one.at(0).get<std::string>());
    packages_.push_back({manager == std::end(managers) ? "package" : *manager, one.at(1).get<std::string>(),
                         one.at(2).get<std::string>()});
  }
  all.at(1).get_to(versions_);
  const auto& files = all.at(2).get_binary();
  files_.resize(files.size() / sizeof(File));
  if (!files_.empty()) std::memcpy(files_.data(), files.data(), files_.size() * sizeof(File));
  files_kept += files_.size();
  sorted_ = false;
}

std::string package_of(const std::vector<const PackageRecords*>& layers, int layer, std::string_view path) {
  std::vector<const PackageRecords*> order;
  const auto own = std::min(static_cast<std::size_t>(std::max(layer, 0)), layers.size());
  order.assign(layers.begin() + static_cast<std::ptrdiff_t>(own), layers.end());
  for (std::size_t i = own; i > 0; --i) order.push_back(layers[i - 1]);
  // Records may be older than the merge of /bin, /lib and /sbin into /usr.
  const std::string merged(path.starts_with("usr/") ? path.substr(4) : path);
  for (const PackageRecords* records : order) {
    if (records == nullptr) continue;
    const auto* owner = records->owner(path);
    if (owner == nullptr && merged.size() < path.size()) owner = records->owner(merged);
    if (owner == nullptr) continue;
    std::string text = std::string(owner->manager) + ": " + owner->name;
    std::string_view version = owner->version.empty() ? records->version(owner->name) : owner->version;
    for (std::size_t i = 0; version.empty() && i < order.size(); ++i)
      if (order[i] != nullptr) version = order[i]->version(owner->name);
    if (!version.empty()) (text += " ") += version;
    return text;
  }
  return {};
}

bool is_of_the_system(std::string_view manager) { return manager == "dpkg" || manager == "apk" || manager == "rpm"; }

std::string python_source_of(const std::string& path) {
  constexpr std::string_view folder = "__pycache__/";
  const std::size_t at = path.rfind(folder);
  const std::size_t dot = at == std::string::npos ? at : path.find('.', at);
  if (dot == std::string::npos || !path.ends_with(".pyc")) return {};
  return path.substr(0, at) + path.substr(at + folder.size(), dot - at - folder.size()) + ".py";
}

}  // namespace imgbuild
