#pragma once
#include <memory>
#include <string>

#include "audit/record_store.hpp"
#include "context/seen.hpp"
#include "scan/scanner.hpp"

namespace imgbuild {

/// Where SeenFiles lie from one staging of a tree to the next: one signed record a tree (RecordStore), of this program
/// and these rules. One thread.
class SeenFilesRecord {
 public:
  /// `use`: --no-cache looks at every file, and keeps what it saw.
  SeenFilesRecord(const std::string& root, const Scanner& scanner, bool use);
  /// For StageOptions; null where there is no place for a record.
  SeenFiles* files() { return store_ ? &files_ : nullptr; }
  /// After staging.
  void keep();

 private:
  std::unique_ptr<RecordStore> store_;
  std::string name_;
  SeenFiles files_;
};

}  // namespace imgbuild
