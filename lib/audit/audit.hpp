#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "scan/scanner.hpp"
#include "verdict/verdict.hpp"

/// From an image to a verdict: one streaming pass over every byte, in bounded memory.
namespace imgbuild {

struct AuditOptions {
  std::shared_ptr<const Scanner> scanner;
  const ValueMatcher* values = nullptr;  ///< exact values to look for
  Vault* found = nullptr;                ///< found values join it, so that the report can be redacted; never null
  Policy policy;
  unsigned threads = 0;                               ///< 0: as many as there are processors
  std::string source;                                 ///< what reports call the image: "archive:app.tar"
  std::vector<std::string> agent_keys;                ///< fingerprints of the user's agent: "this key is yours"
  std::function<void(std::uint64_t bytes)> progress;  ///< called now and then, from any thread; may be empty
};

/// Audits every image of a docker-archive (`docker save`, layouts before and since Engine 25), given as a stream in
/// whatever order its members come, itself compressed (gzip, zstd, xz) or not. Throws Error where it is no such
/// archive, or its outer structure cannot be read to the end.
std::vector<Audit> audit_archive(Source& archive, const AuditOptions& options);

/// The same for a file, mapped: layers are looked at side by side.
std::vector<Audit> audit_archive_file(const std::string& path, const AuditOptions& options);

}  // namespace imgbuild
