#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

namespace imgbuild {

/// Is this path a record that a package manager keeps of what it put where? dpkg (also without a status file, as in
/// distroless images), apk, rpm (sqlite, its format since 4.16; not the older ones) and Python's RECORD.
bool is_package_record(std::string_view path);

/// Which files the package records of one layer name: 16 bytes a file. What it answers is told beside a finding and
/// decides nothing, so what is malformed, or more than anybody has, is left out in silence.
class PackageRecords {
 public:
  PackageRecords() = default;
  ~PackageRecords();
  PackageRecords(const PackageRecords&) = delete;
  PackageRecords& operator=(const PackageRecords&) = delete;

  /// Reads one record, whole. Any thread.
  void add(std::string_view path, View content);

  /// Of a package: how it was put there, its name, its version (empty: another record says it).
  struct Package {
    const char* manager;
    std::string name, version;
  };
  /// The package whose record names this path; null: none. When all is added.
  const Package* owner(std::string_view path) const;
  /// All of it as bytes (CBOR), for this program only, and back. Reading throws what nlohmann's json throws.
  Bytes write() const;
  void read(View written);

  /// What dpkg's status file calls the package's version; empty: it does not know it.
  std::string_view version(const std::string& name) const;

 private:
  struct File {
    std::uint64_t hash;
    std::uint32_t package;
  };
  /// The number of a new package, from 1; 0: it is not kept, and its files are not.
  std::uint32_t package(const char* manager, std::string_view name, std::string_view version);
  void file(std::string_view path, std::uint32_t package);
  void add_dpkg_status(std::string_view text);
  void add_dpkg_list(std::string_view text, std::string_view name, bool sums);
  void add_apk(std::string_view text);
  void add_python(std::string_view text, std::string_view folder);
  void add_rpm(View header);

  std::mutex mutex_;
  mutable bool sorted_ = false;
  mutable std::vector<File> files_;
  std::vector<Package> packages_;
  std::map<std::string, std::string, std::less<>> versions_;
};

/// "dpkg: acme 1.0-1", the package that the records of layer `layer` name for this path; else those of later layers,
/// then of earlier ones. Empty: none does. Layers oldest first. One thread.
std::string package_of(const std::vector<const PackageRecords*>& layers, int layer, std::string_view path);

/// Is it a package manager of the system, and not of one language?
bool is_of_the_system(std::string_view manager);

/// "a/__pycache__/b.cpython-311.pyc" is made of "a/b.py"; empty of anything else.
std::string python_source_of(const std::string& path);

}  // namespace imgbuild
