#pragma once
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "context/judge.hpp"
#include "context/stage.hpp"

namespace imgbuild {

/// Turns what was decided, file by file in order, into what a report tells. One thread.
class Record {
 public:
  /// What was found in `path`. Returns the strictest fate of it that withholds, if any.
  std::optional<Remark::Fate> add(const std::vector<Remark>& remarks, const std::string& path);
  bool refused() const { return refused_; }
  /// Moves the lists into the context.
  void give(Context& context);

 private:
  void tell(const Remark& remark);
  std::string allow_text(const Remark& remark);

  bool refused_ = false;
  int hashed_ = 0;
  std::map<std::string, std::string> allow_identities_;           // by identity: hashing is slow
  std::map<Identity, std::string> labels_;                        // "S1"
  std::map<std::pair<std::string, Identity>, std::size_t> seen_;  // which finding a rule and a secret are
  std::vector<Withheld> withheld_;
  std::vector<std::pair<Finding, bool>> told_;  // allowed (true) or a note
};

}  // namespace imgbuild
