#pragma once
#include <memory>
#include <string>
#include <vector>

#include "build/build.hpp"

namespace imgbuild {

/// Looks at what a script wrote into its caches for this run's secrets, as an image is looked at: in archives, in every
/// form. What keys and tokens of others lie in a cache is not asked: what is taken from it into an image is looked at
/// there. One thread.
class CacheCheck {
 public:
  CacheCheck(const Plan& plan, std::shared_ptr<const Scanner> scanner, Vault& vault, const BuildTalk& talk);
  ~CacheCheck();
  /// Is there a secret to look for?
  bool needed() const;
  /// A file "CACHE/PATH", whose bytes follow.
  void file(std::string_view path, std::uint64_t size);
  void data(View bytes);
  /// That was all: looks, tells, and names the caches that must be emptied.
  std::vector<std::string> to_empty();

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace imgbuild
