#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "scan/rule.hpp"

namespace imgbuild {

/// What the rule compiler (compiler/main.cpp) put into the program: the families as they were written, and for each
/// processor level the database of their plan. The definition is generated at build time.
struct Builtin {
  struct Family {
    std::string_view file, text;
  };
  struct Database {
    unsigned long long level;
    std::string_view bytes;
  };
  std::vector<Family> families;
  std::vector<Database> databases;  ///< in the order of processor_levels()
  std::string_view plan;            ///< ScanPlan::digest() of all families together
};

const Builtin& builtin();

/// As read_rules, of a family whose patterns the rule compiler has checked: nothing but the text is looked at.
std::vector<Rule> read_checked_rules(std::string_view toml, const std::string& file);

}  // namespace imgbuild
