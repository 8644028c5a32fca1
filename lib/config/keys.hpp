#pragma once
#include <span>
#include <string>
#include <string_view>

/// The closed set of settings, and who may set each.
namespace imgbuild {

enum class Shape {
  text,
  list,  ///< in a variable: one item per line
  on_off,
  words,  ///< a command: an array, or one string for the shell (command_words())
  path,   ///< a file, relative to the folder of the file that names it
  paths,  ///< a list of such
};

struct Key {
  std::string_view name;  ///< as files spell it; the variable is IMGBUILD_ and the name in capitals
  std::string_view flag;  ///< of the command line; empty: none
  Shape shape;
  bool context, user;         ///< may stand in the context's file, in the user's
  bool variable = true;       ///< may stand in the environment
  const char* fallback = "";  ///< what holds where nobody says; empty: nothing, and of a switch "false"
};

std::span<const Key> keys();
const Key* find_key(std::string_view name);
/// IMGBUILD_ and the key's name in capitals.
std::string variable_of(const Key& key);

}  // namespace imgbuild
