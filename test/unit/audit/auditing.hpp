#pragma once
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "audit/audit.hpp"
#include "base/fd.hpp"
#include "base/temp_dir.hpp"
#include "verdict/json.hpp"

/// Ways to audit an archive that a test has made: what is found must not depend on them.
namespace imgbuild::test {

/// Gives `piece` bytes at a time, each time in the same memory, as a pipe would.
class CutSource : public Source {
 public:
  CutSource(std::string bytes, std::size_t piece) : bytes_(std::move(bytes)), memory_(piece) {}
  View next() override {
    const std::size_t size = std::min(memory_.size(), bytes_.size() - at_);
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at_), size, memory_.begin());
    at_ += size;
    return View(memory_).first(size);
  }

 private:
  std::string bytes_;
  Bytes memory_;
  std::size_t at_ = 0;
};

struct Setup {
  Vault found;
  AuditOptions options;
  explicit Setup(unsigned threads = 2) {
    options.scanner = Scanner::builtin();
    options.found = &found;
    options.source = "archive:test.tar";
    options.threads = threads;
  }
};

inline Audit audit_stream(const std::string& archive, std::size_t piece, Setup&& run = Setup()) {
  CutSource source(archive, piece);
  auto audits = audit_archive(source, run.options);
  REQUIRE(audits.size() == 1);
  return audits[0];
}

inline Audit audit_file(const std::string& archive, Setup&& run = Setup()) {
  const TempDir folder;
  const std::string path = folder.path() + "/test.tar";
  write_file(path, archive);
  auto audits = audit_archive_file(path, run.options);
  REQUIRE(audits.size() == 1);
  return audits[0];
}

/// Without what is random: the salt of an allow-entry, the identity's key is of the process.
inline std::string stable_json(const Audit& audit) {
  auto json = to_json(audit.record());
  for (auto& leak : json["leaks"]) leak.erase("allow");
  return json.dump(1);
}

}  // namespace imgbuild::test
