// One settings file: TOML in, Settings out. Everything is held against the table of keys; whatever is not in it, or is
// said by somebody who may not, is an error that names its line, since a setting that is silently dropped is a build
// that silently does something else.
#include <toml++/toml.h>

#include <set>

#include "base/text.hpp"
#include "config/keys.hpp"
#include "config/nearest.hpp"
#include "config/settings.hpp"

namespace imgbuild {
namespace {

class Reader {
 public:
  Reader(const std::string& name, Voice voice) : name_(name), voice_(voice) {}

  Settings read(std::string_view text) {
    toml::table root;
    try {
      root = toml::parse(text, name_);
    } catch (const toml::parse_error& error) {
      throw usage_error(name_ + ":" + std::to_string(error.source().begin.line) +
                        ": malformed TOML: " + printable(error.description()));
    }
    for (const auto& [key, node] : root) take(key.str(), key, node, settings_.values);
    return std::move(settings_);
  }

 private:
  std::string line_of(const toml::source_region& region) const {
    return name_ + ":" + std::to_string(region.begin.line);
  }
  [[noreturn]] void fail(const toml::node& node, const std::string& what, const std::string& hint = {}) const {
    throw usage_error(line_of(node.source()) + ": " + what, hint);
  }
  static std::string quoted(std::string_view word) { return "`" + printable(word) + "`"; }

  void take(std::string_view name, const toml::key& at, const toml::node& node, Settings::Values& into) {
    const bool outside = &into == &settings_.values;
    if (!outside && (name == "allow" || name == "secrets" || name == "build"))
      throw usage_error(line_of(at.source()) + ": " + quoted(name) + " may not stand in [build.NAME]",
                        name == "build" ? "a build has no builds" : "it counts for every build: write it outside");
    if (name == "build") return take_builds(node);
    if (name == "allow") return take_allow(node);
    if (name == "secrets" && voice_ == Voice::user) return take_secrets(node);
    const Key* key = find_key(name);
    if (key == nullptr && name != "secrets") {
      std::vector<std::string> known;
      if (outside) known = {"allow", "build"};
      for (const Key& each : keys())
        if (voice_ == Voice::context ? each.context : each.user) known.emplace_back(each.name);
      if (voice_ == Voice::user && outside) known.emplace_back("secrets");
      const std::string near = nearest(name, known);
      throw usage_error(line_of(at.source()) + ": unknown key " + quoted(name),
                        near.empty() ? "known keys: " + join(known, ", ") : "did you mean `" + near + "`?");
    }
    if (key == nullptr || !(voice_ == Voice::context ? key->context : key->user)) refuse(name, key, at);
    Setting setting{values_of(name, key->shape, node), line_of(at.source()), voice_};
    if (voice_ == Voice::context && name == "build_args")
      for (const auto& arg : setting.values)
        if (arg.find('=') == std::string::npos)
          fail(node, "`build_args`: " + quoted(arg) + " has no value, and a context does not read your environment",
               "write K=V here, or say --build-arg " + printable(arg));
    into.emplace(std::string(name), std::move(setting));
  }

  void take_builds(const toml::node& node) {
    const auto* builds = node.as_table();
    if (builds == nullptr) fail(node, "`build` must be written [build.NAME]");
    for (const auto& [name, value] : *builds) {
      const auto* table = value.as_table();
      if (table == nullptr) fail(value, "`build` must be written [build.NAME]");
      if (name.str().empty()) fail(value, "a build without a name");
      auto& into = settings_.builds[std::string(name.str())];
      for (const auto& [key, item] : *table) take(key.str(), key, item, into);
    }
  }

  [[noreturn]] void refuse(std::string_view name, const Key* key, const toml::key& at) const {
    if (voice_ == Voice::user) {
      const bool asks = !key->variable;
      throw usage_error(line_of(at.source()) + ": " + quoted(name) + " may not stand in the user's file",
                        asks ? "it is what a context's imgbuild.toml asks with"
                             : "it is granted build by build: " + std::string(key->flag) + ", or " + variable_of(*key));
    }
    std::string where;
    if (key != nullptr) {
      where = std::string(key->flag) + ", " + variable_of(*key);
      if (key->user) where += " or your own config.toml";
    } else {
      where = "`--secret id=ID,src=FILE` or your own config.toml; a context asks with `ask_secrets`";
    }
    throw usage_error(line_of(at.source()) + ": " + quoted(name) + " may not stand in a context's file",
                      "a context does not decide this; it may stand in: " + where);
  }

  std::string text_of(std::string_view name, const toml::node& node) const {
    const auto* text = node.as_string();
    if (text == nullptr) fail(node, quoted(name) + " must be a string");
    if (text->get().find('\0') != std::string::npos) fail(node, quoted(name) + " holds a NUL");
    return text->get();
  }

  std::vector<std::string> texts_of(std::string_view name, const toml::node& node) const {
    const auto* array = node.as_array();
    if (array == nullptr) fail(node, quoted(name) + " must be an array of strings");
    std::vector<std::string> all;
    for (const auto& item : *array) all.push_back(text_of(name, item));
    return all;
  }

  std::vector<std::string> values_of(std::string_view name, Shape shape, const toml::node& node) const {
    switch (shape) {
      case Shape::text:
        if (const auto* number = node.as_integer()) return {std::to_string(number->get())};
        return {text_of(name, node)};
      case Shape::on_off: {
        const auto* on = node.as_boolean();
        if (on == nullptr) fail(node, quoted(name) + " must be true or false");
        return {on->get() ? "true" : "false"};
      }
      case Shape::words:
        return node.is_string() ? command_words(text_of(name, node)) : texts_of(name, node);
      case Shape::list:
        return texts_of(name, node);
      case Shape::path:
        return {beside(text_of(name, node))};
      case Shape::paths: {
        auto all = texts_of(name, node);
        for (auto& path : all) path = beside(path);
        return all;
      }
    }
    return {};
  }

  // A path as the file's writer meant it: relative to the file.
  std::string beside(const std::string& path) const {
    const auto slash = name_.rfind('/');
    return path.empty() || path.front() == '/' || slash == std::string::npos ? path : name_.substr(0, slash + 1) + path;
  }

  void take_secrets(const toml::node& node) {
    const auto* table = node.as_table();
    if (table == nullptr) fail(node, "`secrets` must be a table: [secrets] ID = {src = \"FILE\"}");
    for (const auto& [id, value] : *table) {
      const auto* source = value.as_table();
      if (source == nullptr || source->size() != 1 || !(source->contains("src") || source->contains("env")))
        fail(value, "secret " + quoted(id.str()) + " must be {src = \"FILE\"} or {env = \"VARIABLE\"}");
      SecretSource from{{}, {}, line_of(id.source())};
      if (const auto* src = source->get("src")) from.file = beside(text_of("src", *src));
      if (const auto* env = source->get("env")) from.variable = text_of("env", *env);
      settings_.secrets.emplace(std::string(id.str()), std::move(from));
    }
  }

  void take_allow(const toml::node& node) {
    const auto* array = node.as_array();
    if (array == nullptr) fail(node, "`allow` must be written [[allow]]");
    for (const auto& item : *array) {
      const auto* table = item.as_table();
      if (table == nullptr) fail(item, "`allow` must be written [[allow]]");
      settings_.allow.push_back(allow_entry(*table));
    }
  }

  AllowEntry allow_entry(const toml::table& table) const {
    AllowEntry entry;
    entry.from = name_;
    const std::pair<const char*, std::string AllowEntry::*> fields[] = {
        {"rule", &AllowEntry::rule}, {"at", &AllowEntry::at},         {"identity", &AllowEntry::identity},
        {"path", &AllowEntry::path}, {"sha256", &AllowEntry::sha256}, {"reason", &AllowEntry::reason}};
    for (const auto& [key, value] : table) {
      if (key.str() == "expires") {
        entry.expires = date_of(value);
        continue;
      }
      bool known = false;
      for (const auto& [name, member] : fields) {
        if (key.str() != name) continue;
        entry.*member = text_of(name, value);
        known = true;
      }
      if (!known) {
        const std::string near = nearest(key.str(), {"rule", "at", "identity", "path", "sha256", "reason", "expires"});
        throw usage_error(line_of(key.source()) + ": allow-entry: unknown key " + quoted(key.str()),
                          near.empty() ? "known keys: rule, at, identity, path, sha256, reason, expires"
                                       : "did you mean `" + near + "`?");
      }
    }
    if (const auto reason = trim(entry.reason); reason.empty() || reason == "...")
      fail(table, "allow-entry: without a reason", "say why it is no leak: reason = \"...\"");
    const bool finding = !entry.rule.empty() && !entry.at.empty() && !entry.identity.empty();
    const bool file = !entry.path.empty() && !entry.sha256.empty();
    const bool mixed = (finding && (!entry.path.empty() || !entry.sha256.empty())) ||
                       (file && (!entry.rule.empty() || !entry.at.empty() || !entry.identity.empty()));
    if (finding == file || mixed)
      fail(table, "allow-entry: needs either rule, at and identity, or path and sha256",
           "reports print the entry to paste");
    if (finding && entry.identity.rfind("SHA256:", 0) != 0 && entry.identity.rfind("scrypt:", 0) != 0)
      fail(table, "allow-entry: the identity is neither SHA256:... nor scrypt:SALT:HASH");
    if (file) {
      constexpr std::string_view prefix = "sha256:";
      if (entry.sha256.rfind(prefix, 0) != 0) entry.sha256.insert(0, prefix);
      const auto digest = unhex(lower(std::string_view(entry.sha256).substr(prefix.size())));
      if (!digest || digest->size() != 32) fail(table, "allow-entry: sha256 must be 64 hexadecimal digits");
      entry.sha256 = std::string(prefix) + hex(*digest);
    }
    return entry;
  }

  // TOML has dates of its own (1979-05-27); one in quotes means the same.
  std::string date_of(const toml::node& node) const {
    int year = 0, month = 0, day = 0;
    if (const auto* date = node.as_date()) {
      year = date->get().year;
      month = date->get().month;
      day = date->get().day;
    } else if (const auto* text = node.as_string()) {
      const auto parts = split(text->get(), '-');
      const auto number = [](const std::string& digits, std::size_t size) {
        if (digits.size() != size || digits.find_first_not_of("0123456789") != std::string::npos) return 0;
        return std::stoi(digits);
      };
      if (parts.size() == 3) {
        year = number(parts[0], 4);
        month = number(parts[1], 2);
        day = number(parts[2], 2);
      }
    }
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    constexpr int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 ||
        day > lengths[month - 1] + (month == 2 && leap ? 1 : 0))
      fail(node, "allow-entry: `expires` is no date", "write it as expires = 2027-01-31");
    char buffer[16];
    std::snprintf(buffer, sizeof buffer, "%04d-%02d-%02d", year % 10000, month % 100, day % 100);
    return buffer;
  }

  const std::string name_;
  const Voice voice_;
  Settings settings_;
};

}  // namespace

Settings read_settings(std::string_view toml, const std::string& name, Voice voice) {
  return Reader(name, voice).read(toml);
}

}  // namespace imgbuild
