#include "config/merged_toml.hpp"

#include <toml++/toml.h>

#include <sstream>

#include "base/error.hpp"
#include "base/text.hpp"

namespace imgbuild {
namespace {

void merge(toml::table& into, const toml::table& later) {
  for (const auto& [key, node] : later) {
    auto* had = into.get_as<toml::table>(key.str());
    if (had != nullptr && node.is_table())
      merge(*had, *node.as_table());
    else
      into.insert_or_assign(key.str(), node);
  }
}

}  // namespace

std::string merged_toml(const std::vector<std::pair<std::string, std::string>>& documents, const std::string& table,
                        const std::string& list, const std::vector<std::string>& more) {
  toml::table all;
  for (const auto& [name, text] : documents) try {
      merge(all, toml::parse(text, name));
    } catch (const toml::parse_error& error) {
      throw Error(printable(name) + ":" + std::to_string(error.source().begin.line) +
                  ": malformed TOML: " + printable(error.description()));
    }
  if (!all[table].is_table()) all.insert_or_assign(table, toml::table());
  toml::table& there = *all[table].as_table();
  if (!there[list].is_array()) there.insert_or_assign(list, toml::array());
  for (const auto& one : more) there[list].as_array()->push_back(one);
  std::ostringstream text;
  text << all << '\n';
  return text.str();
}

}  // namespace imgbuild
