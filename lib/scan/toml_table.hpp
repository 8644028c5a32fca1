#pragma once
#include <toml++/toml.h>
#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"

namespace imgbuild {

/// A table of a rule file, read strictly: what is of another kind than asked for throws usage Error "WHERE: what". A
/// key that is not there is empty, or 0. The table must outlive it. Room-internal.
class TomlTable {
 public:
  TomlTable(const toml::table& table, std::string where) : table_(table), where_(std::move(where)) {}

  Error wrong(const std::string& what) const { return usage_error(where_ + ": " + what); }
  const toml::table& table() const { return table_; }

  void only(std::initializer_list<std::string_view> known) const {
    for (const auto& [key, value] : table_)
      if (std::find(known.begin(), known.end(), std::string_view(key)) == known.end())
        throw wrong("`" + printable(std::string_view(key)) + "` is not read here");
  }
  std::string text(const char* key, bool required = false) const {
    const auto* node = table_.get(key);
    const auto value = node == nullptr ? std::string() : node->value_exact<std::string>();
    if (!value) throw wrong(std::string("`") + key + "` is no text");
    if (required && value->empty()) throw wrong(std::string("no `") + key + "`");
    return *value;
  }
  /// A list of them, each of `least` bytes or more.
  std::vector<std::string> texts(const char* key, std::size_t least = 0) const {
    std::vector<std::string> all;
    const auto* node = table_.get(key);
    if (node == nullptr) return all;
    const auto* list = node->as_array();
    if (list == nullptr) throw wrong(std::string("`") + key + "` is no list of texts");
    for (const auto& item : *list) {
      auto value = item.value_exact<std::string>();
      if (!value || value->size() < least) throw wrong(std::string("`") + key + "` is no list of texts");
      all.push_back(std::move(*value));
    }
    return all;
  }
  double number(const char* key, int most) const {
    const auto* node = table_.get(key);
    if (node == nullptr) return 0;
    const auto value = node->is_number() ? node->value<double>() : std::nullopt;
    if (!value || !(*value >= 0 && *value <= most))
      throw wrong(std::string("`") + key + "` is no number from 0 to " + std::to_string(most));
    return *value;
  }
  /// The tables under a key, one or a list.
  std::vector<TomlTable> tables(const char* key) const {
    std::vector<TomlTable> all;
    const auto* node = table_.get(key);
    if (node == nullptr) return all;
    const std::string where = where_ + ": " + key;
    if (const auto* one = node->as_table()) {
      all.emplace_back(*one, where);
    } else if (const auto* list = node->as_array()) {
      for (const auto& item : *list) {
        if (!item.is_table()) throw wrong(std::string("`") + key + "` is no list of tables");
        all.emplace_back(*item.as_table(), where);
      }
    } else {
      throw wrong(std::string("`") + key + "` is no table");
    }
    return all;
  }

 private:
  const toml::table& table_;
  std::string where_;
};

/// Throws usage Error "FILE:LINE: what" where it is no TOML.
inline toml::table parse_toml(std::string_view text, const std::string& file) try {
  return toml::parse(text);
} catch (const toml::parse_error& error) {
  throw usage_error(file + ":" + std::to_string(error.source().begin.line) + ": " + printable(error.description()));
}

}  // namespace imgbuild
