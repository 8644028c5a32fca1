#pragma once
#include <cstddef>
#include <string_view>

namespace imgbuild {

/// How often its pairs of neighbouring letters stand in words, from 0 (never) over 5 (chance) to 9. 5 where it has
/// none.
double mean_of_pairs(std::string_view text);

/// How many times more often than by chance the small letter `b` follows the small letter `a` in words.
double pair_factor(char a, char b);

/// A text taken for a name or a phrase: "userPassword", "db-host.example", "sha256".
struct NameLikeness {
  bool words = false;       ///< its letters fall into words, cut at capitals, digits and everything else
  std::size_t parts = 0;    ///< such words
  std::size_t letters = 0;  ///< in them
  std::size_t numbers = 0;  ///< runs of digits
  std::size_t digits = 0;   ///< in them
  std::size_t joints = 0;   ///< characters that join words: _ - . / : , ; | the backslash and blanks
  std::size_t symbols = 0;  ///< any other character
};
NameLikeness name_likeness(std::string_view text);

}  // namespace imgbuild
