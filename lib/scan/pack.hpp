#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "scan/anchors.hpp"
#include "scan/rule.hpp"

namespace imgbuild {

/// Rules and how they are looked for.
struct Knowledge {
  std::vector<Rule> rules;  ///< in the order of their ids
  ScanPlan plan;            ///< of these rules
  std::string digest;       ///< over all that decides what they find

  /// Plans them. Throws usage Error on two rules of one id, and as ScanPlan does.
  static Knowledge of(std::vector<Rule> rules);
};

/// Knowledge as bytes, for the program that this build makes and for no other.
std::string packed(const Knowledge& knowledge);

/// The way back. The bytes are trusted, begin at a multiple of 64 and outlive what is returned: it looks into them.
Knowledge unpacked(std::string_view bytes);

}  // namespace imgbuild
