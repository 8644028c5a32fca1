#pragma once
#include <memory>
#include <optional>
#include <string>

#include "audit/sightings.hpp"
#include "tar/inflate.hpp"

namespace imgbuild {

class ContentReader;

/// Looks at what a file unpacks to whose name alone says that it is packed: brotli (RFC 7932) has no magic number, and
/// web servers have app.js.br. What fails from the first is no brotli, and no gap; what breaks off
/// when much has come of it says why. One thread.
class BrotliFile {
 public:
  static bool may_be(const Where& where) { return where.name().ends_with(".br"); }
  BrotliFile(const Desk& desk, Where where);
  ~BrotliFile();
  void feed(View bytes);  ///< throws Limit
  void finish();          ///< throws Limit
  /// When it is finished: "truncated brotli stream"; empty: it is whole, or no brotli.
  const std::string& why_not() const { return why_not_; }

 private:
  void take(View filled);
  void stop();
  void broken(std::string why);

  const Desk& desk_;
  Where where_;
  std::shared_ptr<std::uint8_t[]> buffer_;
  std::optional<Inflater> inflater_;  ///< null: it is no brotli
  std::unique_ptr<ContentReader> child_;
  std::uint64_t came_ = 0, made_ = 0;  ///< bytes of it, and what they unpacked to
  std::string why_not_;
};

/// The same of content that lies together in memory, where its name says so; a limit ends as a gap.
void look_at_brotli(const Desk& desk, const Where& where, View content);

}  // namespace imgbuild
