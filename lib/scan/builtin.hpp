#pragma once
#include <string_view>
#include <vector>

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

}  // namespace imgbuild
