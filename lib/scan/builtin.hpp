#pragma once
#include <string_view>
#include <vector>

namespace imgbuild {

/// What the rule compiler (compiler/main.cpp) put into the program: what is known, packed (pack.hpp), and for each
/// processor level the database of its plan. The definition is generated at build time.
struct Builtin {
  struct Database {
    unsigned long long level;
    std::string_view bytes;
  };
  std::string_view knowledge;
  std::vector<Database> databases;  ///< in the order of processor_levels()
};

const Builtin& builtin();

}  // namespace imgbuild
