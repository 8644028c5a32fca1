#pragma once
#include <ctime>
#include <memory>
#include <optional>
#include <string>

#include "audit/record_store.hpp"
#include "build/build.hpp"

namespace imgbuild {

/// Images of builds by script that were cleared before, by all that shaped them: the base's id, the context's digest,
/// the script, every flag that reaches it or the config, the secrets (by an HMAC of their values: another value is
/// another build), what is granted, the policy, the rules and this program. Not what a script fetches: that is for the
/// user to know. Records are those of RecordStore, so that nobody else can have written one, and an image that is found
/// is audited like any other before it is named.
class Remembered {
 public:
  /// Where the plan says that nothing remembered is to be used, none is found, but this build's is kept.
  /// `onto`: the handle of the image that artefacts go onto; empty: there is none.
  Remembered(const Plan& plan, const ImageConfig& base, const std::string& onto, const Context& context,
             const Gateway* gateway, const Scanner& scanner, const std::string& engine);

  struct Image {
    std::string handle, config;
    std::time_t began = 0;  ///< the build that made it
  };
  /// The image of an equal build, where the engine still has it.
  std::optional<Image> find(Engine& engine) const;
  void keep(const std::string& handle, const std::string& config, std::time_t began) const;

 private:
  std::unique_ptr<RecordStore> store_;  // null: there is no place for records
  bool used_ = false;
  std::string name_;
};

/// "2026-11-25 16:00" of the local day.
std::string shown_time(std::time_t time);

}  // namespace imgbuild
