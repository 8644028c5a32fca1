// imgbuild config: each setting, what it is, and who says so.
#include <algorithm>

#include "base/text.hpp"
#include "build_flags.hpp"
#include "config/keys.hpp"
#include "config/schema.hpp"
#include "image/json.hpp"

namespace imgbuild {
namespace {

constexpr const char* footer = R"(
Prints what `imgbuild build` with the same words would go by. Flags win over IMGBUILD_* variables, they over
imgbuild.toml in PATH, that over your own ~/.config/imgbuild/config.toml. Of a secret only the source is told.

Examples:
  imgbuild config
  imgbuild config . --build release --engine podman
  imgbuild config --schema >imgbuild.schema.json       # an editor's `#:schema ./imgbuild.schema.json`
  imgbuild config --schema user >config.schema.json

Exit status: 0; 2 a file, a variable or a flag makes no sense.)";

struct Flags {
  BuildFlags build;
  std::string user_file, format = "text", schema;
  CLI::App* app = nullptr;
};

Settings::Values said_by_flags(const CLI::App& app) {
  Settings::Values said;
  for (const Key& key : keys()) {
    const CLI::Option* option =
        key.flag.empty() || !key.variable ? nullptr : app.get_option_no_throw(std::string(key.flag));
    if (option == nullptr || option->count() == 0) continue;
    Setting setting{option->results(), std::string(key.flag), Voice::flag};
    if (key.shape == Shape::on_off) setting.values = {"true"};
    if (key.shape == Shape::words) setting.values = command_words(setting.values.front());
    said.emplace(std::string(key.name), std::move(setting));
  }
  return said;
}

// What it says of a flag in `build --help`; of what only other commands have, what their help says.
std::string says(const CLI::App& app, const Key& key) {
  if (key.name == "command") return "instead of `run`: a command, run as it stands";
  if (key.name == "ask_ssh") return "hosts that the build wants to log in to, for whoever runs it to grant: --ssh";
  if (key.name == "ask_secrets") return "ids of the secrets that the build wants, for whoever runs it to hand out";
  if (key.name == "threads") return "of an audit: how many (default: as many as there are processors)";
  if (key.name == "baseline") return "of an audit: leaks that this file knows do not count";
  const CLI::Option* option = app.get_option_no_throw(std::string(key.flag));
  return option == nullptr ? "" : option->get_description();
}

bool is_list(Shape shape) { return shape == Shape::list || shape == Shape::words || shape == Shape::paths; }

// The value without a byte of what a rule knows: somebody may have written a credential where none belongs.
Json value_of(const Key& key, const Setting& setting, const Session& session) {
  if (key.shape == Shape::on_off) return setting.values.front() == "true";
  if (!is_list(key.shape)) return session.redacted(setting.values.front());
  Json all = Json::array();
  for (const auto& value : setting.values) all.push_back(session.redacted(value));
  return all;
}

Json fallback_of(const Key& key) {
  if (key.shape == Shape::on_off) return false;
  return *key.fallback == '\0' ? Json() : Json(key.fallback);
}

const char* name_of(Voice voice) {
  switch (voice) {
    case Voice::flag:
      return "flag";
    case Voice::environment:
      return "variable";
    case Voice::context:
      return "context";
    case Voice::user:
      break;
  }
  return "user";
}

Json described(const Settings& settings, const Session& session) {
  Json all = Json::array();
  for (const Key& key : keys()) {
    const Setting* setting = settings.find(key.name);
    Json one = {{"key", key.name}, {"value", setting == nullptr ? fallback_of(key) : value_of(key, *setting, session)}};
    one["from"] = setting == nullptr ? "default" : name_of(setting->voice);
    one["where"] = setting == nullptr ? "" : setting->from;
    one["flag"] = key.flag;
    one["variable"] = key.variable ? variable_of(key) : "";
    all.push_back(std::move(one));
  }
  Json secrets = Json::array();
  for (const auto& [id, source] : settings.secrets)
    secrets.push_back({{"id", id}, {"src", source.file}, {"env", source.variable}, {"where", source.from}});
  Json allow = Json::array();
  for (const auto& entry : settings.allow)
    allow.push_back({{"rule", entry.rule},
                     {"at", entry.at},
                     {"path", entry.path},
                     {"reason", session.redacted(entry.reason)},
                     {"expires", entry.expires},
                     {"where", entry.from}});
  Json builds = Json::array();
  for (const auto& [name, values] : settings.builds) builds.push_back(name);
  return {{"schema", "imgbuild.config/1"},
          {"settings", std::move(all)},
          {"secrets", std::move(secrets)},
          {"allow", std::move(allow)},
          {"builds", std::move(builds)}};
}

std::string text_of(const Json& json) { return printable(json.get<std::string>()); }

std::string as_toml(const Json& value) {
  if (value.is_string()) return toml_quoted(value.get<std::string>());
  if (!value.is_array()) return value.dump();
  std::vector<std::string> items;
  for (const auto& item : value) items.push_back(as_toml(item));
  return "[" + join(items, ", ") + "]";
}

// TOML, so that a line may be copied into a file; what nobody says is a comment.
std::string as_text(const Json& all) {
  std::string text, unset;
  const auto line = [&](const std::string& what, const std::string& where) {
    text += what + std::string(what.size() < 38 ? 38 - what.size() : 1, ' ') + " # " + where + "\n";
  };
  for (const auto& one : all["settings"]) {
    const std::string key = text_of(one["key"]), variable = text_of(one["variable"]), where = text_of(one["where"]);
    if (!where.empty())
      line(key + " = " + as_toml(one["value"]), where);
    else if (one["value"].is_string())
      line(key + " = " + as_toml(one["value"]), "default");
    else
      unset += (unset.empty() ? "" : ", ") + key;
  }
  for (const auto& one : all["secrets"]) {
    const bool file = !text_of(one["src"]).empty();
    line("# secret " + text_of(one["id"]) + ": " + (file ? text_of(one["src"]) : "$" + text_of(one["env"])),
         text_of(one["where"]));
  }
  for (const auto& one : all["allow"]) {
    const bool file = !text_of(one["path"]).empty();
    line("# allowed " + (file ? text_of(one["path"]) : text_of(one["rule"]) + " at " + text_of(one["at"])),
         text_of(one["where"]));
  }
  for (const auto& name : all["builds"]) text += "# build " + text_of(name) + "\n";
  return text + "# not set: " + unset + "\n";
}

int work(const Flags& flags, Session& session) {
  const auto put = [](const Json& json) {
    put_result(json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    return 0;
  };
  if (!flags.schema.empty()) {
    if (flags.schema != "context" && flags.schema != "user")
      throw usage_error("--schema: must be context or user, not `" + printable(flags.schema) + "`");
    return put(settings_schema(flags.schema == "user" ? Voice::user : Voice::context,
                               [&](const Key& key) { return says(*flags.app, key); }));
  }
  if (flags.format != "text" && flags.format != "json")
    throw usage_error("--format: must be text or json, not `" + printable(flags.format) + "`");
  SettingsRequest request;
  request.context = flags.build.path;
  request.build = flags.build.build;
  request.user_file = flags.user_file;
  request.fail_on = severity_flag(flags.build.fail_on);
  request.no_repo_allow = flags.build.no_repo_allow;
  request.flags = said_by_flags(*flags.app);
  const Settings settings = load_settings(request);
  session.load_scanner({});
  const Json all = described(settings, session);
  if (flags.format == "json") return put(all);
  put_result(as_text(all));
  return 0;
}

}  // namespace

Work offer_config(CLI::App& app, Session& session) {
  const auto flags = std::make_shared<Flags>();
  flags->app = &app;
  add_value(app, "--format", flags->format, "FORMAT", "text (which is TOML) or json");
  add_value(app, "--config", flags->user_file, "FILE", "instead of your own config.toml");
  app.add_option("--schema", flags->schema, "print a JSON schema of imgbuild.toml for editors; `user`: of config.toml")
      ->type_name("[user]")
      ->expected(0, 1)
      ->default_str("context");
  flags->build.offer(app);
  app.footer(footer);
  return [flags, &session] { return work(*flags, session); };
}

}  // namespace imgbuild
