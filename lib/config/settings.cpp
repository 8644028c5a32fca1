// The layers of settings, from the environment down to the user's file.
#include "config/settings.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/fd.hpp"
#include "base/folder.hpp"
#include "base/text.hpp"
#include "config/keys.hpp"
#include "config/nearest.hpp"
#include "verdict/weight.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t largest_file = std::size_t{1} << 20;

// The file's text; nullopt where there is none. A context's file is never read through a link, which could lead out
// of the checkout, and never from something that is no file, which could keep us waiting.
std::optional<std::string> text_of_file(const std::string& path, const std::string& name, bool follow) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (follow ? 0 : O_NOFOLLOW)));
  if (!file) {
    const int failed = errno;
    if (failed == ENOENT || failed == ENOTDIR) return std::nullopt;
    if (failed == ELOOP && !follow) throw usage_error(name + ": is a symbolic link", "make it a file of the tree");
    const Error error = system_error(name, failed);
    throw usage_error(error.what());
  }
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) throw usage_error(name + ": is no regular file");
  std::string text(largest_file + 1, '\0');
  text.resize(read_full(file.get(), {reinterpret_cast<std::uint8_t*>(text.data()), text.size()}, name));
  if (text.size() > largest_file) throw usage_error(name + ": larger than " + human_size(largest_file));
  return text;
}

// IMGBUILD_* variables.
Settings environment_settings(const std::function<const char*(const char*)>& variable) {
  Settings settings;
  for (const Key& key : keys()) {
    if (!key.variable) continue;
    const std::string name = variable_of(key);
    const char* value = variable(name.c_str());
    if (value == nullptr || *value == '\0') continue;
    Setting setting{{}, "$" + name, Voice::environment};
    switch (key.shape) {
      case Shape::text:
      case Shape::path:
        setting.values = {value};
        break;
      case Shape::words:
        setting.values = command_words(value);
        break;
      case Shape::list:
      case Shape::paths:
        for (const auto& line : split(value, '\n'))
          if (!trim(line).empty()) setting.values.emplace_back(trim(line));
        break;
      case Shape::on_off: {
        const std::string word = lower(value);
        const bool on = word == "1" || word == "true" || word == "yes";
        if (!on && word != "0" && word != "false" && word != "no")
          throw usage_error("$" + name + ": must be 1 or 0, not `" + printable(value) + "`");
        setting.values = {on ? "true" : "false"};
      }
    }
    settings.values.emplace(std::string(key.name), std::move(setting));
  }
  return settings;
}

std::string user_file(const std::function<const char*(const char*)>& variable) {
  const std::string folder = own_folder("XDG_CONFIG_HOME", ".config", variable);
  return folder.empty() ? "" : folder + "/config.toml";
}

Severity severity_in(const Setting& setting) {
  const auto severity = severity_of(setting.values.front());
  if (!severity)
    throw usage_error(setting.from + ": fail_on must be low, medium, high or critical, not `" +
                      printable(setting.values.front()) + "`");
  return *severity;
}

// The first layer that knows a key has it; of what is built, all.
void lay_under(Settings& upper, Settings lower) {
  const bool file = upper.find("dockerfile") != nullptr, from = upper.find("from") != nullptr,
             runs = upper.find("run") != nullptr || upper.find("command") != nullptr;
  for (const char* key : {"run", "command"})
    if (file || runs) lower.values.erase(key);
  if (file) lower.values.erase("from");
  if (from || runs) lower.values.erase("dockerfile");
  upper.values.merge(lower.values);
  upper.secrets.merge(lower.secrets);
  upper.builds.merge(lower.builds);
  upper.allow.insert(upper.allow.end(), std::make_move_iterator(lower.allow.begin()),
                     std::make_move_iterator(lower.allow.end()));
}

// What a file says of that build over what it says of all.
Settings chosen(Settings file, std::string_view build) {
  const auto found = file.builds.find(build);
  if (found == file.builds.end()) return file;
  Settings top;
  top.values = found->second;
  lay_under(top, std::move(file));
  return top;
}

}  // namespace

const Setting* Settings::find(std::string_view key) const {
  const auto found = values.find(key);
  return found == values.end() ? nullptr : &found->second;
}

std::optional<std::string> Settings::text(std::string_view key) const {
  const Setting* setting = find(key);
  return setting == nullptr ? std::nullopt : std::optional(setting->values.front());
}

std::vector<std::string> Settings::list(std::string_view key) const {
  const Setting* setting = find(key);
  return setting == nullptr ? std::vector<std::string>{} : setting->values;
}

bool Settings::on(std::string_view key) const { return text(key) == "true"; }

Settings load_settings(const SettingsRequest& request) {
  const auto variable =
      request.variable ? request.variable : [](const char* name) -> const char* { return std::getenv(name); };
  Settings all;
  all.values = request.flags;
  lay_under(all, environment_settings(variable));
  const std::string build = request.build.empty() ? all.text("build").value_or("") : request.build;

  Settings of_user;
  const std::string path = request.user_file.empty() ? user_file(variable) : request.user_file;
  if (!path.empty()) {
    const auto text = text_of_file(path, printable(path), true);
    if (text) of_user = chosen(read_settings(*text, printable(path), Voice::user), build);
    if (!text && !request.user_file.empty()) throw usage_error(printable(path) + ": no such file");
  }

  if (!request.context.empty()) {
    const auto text = text_of_file(request.context + "/imgbuild.toml", "imgbuild.toml", false);
    Settings of_context = text ? chosen(read_settings(*text, "imgbuild.toml", Voice::context), build) : Settings{};

    Severity strictness = Severity::medium;
    if (request.fail_on)
      strictness = *request.fail_on;
    else if (const Setting* said = all.find("fail_on"))
      strictness = severity_in(*said);
    else if (const Setting* wanted = of_user.find("fail_on"))
      strictness = severity_in(*wanted);
    if (const Setting* asked = of_context.find("fail_on"); asked != nullptr && severity_in(*asked) > strictness)
      throw usage_error(asked->from + ": fail_on is looser than yours (" + name_of(strictness) + ")",
                        "a context may only be stricter; to be as loose, say --fail-on " + asked->values.front());

    const Setting *size = of_context.find("max_size"), *limit = of_user.find("max_size");
    if (size != nullptr && limit != nullptr && all.find("max_size") == nullptr) {
      const auto asked = size_of_text(size->values.front()), most = size_of_text(limit->values.front());
      if (asked && most && *asked > *most)
        throw usage_error(
            size->from + ": max_size is looser than yours (" + printable(limit->values.front()) + ")",
            "a context may only be stricter; to be as loose, say --max-size " + printable(size->values.front()));
    }

    if (request.no_repo_allow || all.on("no_repo_allow") ||
        (all.find("no_repo_allow") == nullptr && of_user.on("no_repo_allow")))
      of_context.allow.clear();
    lay_under(all, std::move(of_context));
  }
  lay_under(all, std::move(of_user));
  if (!build.empty() && !request.context.empty() && all.builds.count(build) == 0) {
    std::vector<std::string> names;
    for (const auto& [name, values] : all.builds) names.push_back(name);
    const std::string near = nearest(build, names);
    throw usage_error("--build: no build is called `" + printable(build) + "`",
                      names.empty()  ? "imgbuild.toml names builds: [build.NAME]"
                      : near.empty() ? "there are: " + join(names, ", ")
                                     : "did you mean `" + near + "`?");
  }
  if (const Setting* said = all.find("fail_on")) severity_in(*said);
  return all;
}

std::vector<std::string> command_words(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  bool strings = json.is_array();
  if (strings)
    for (const auto& item : json) strings = strings && item.is_string();
  if (strings) return json.get<std::vector<std::string>>();
  return {"/bin/sh", "-c", std::string(text)};
}

std::optional<double> seconds_of(std::string_view text) {
  double total = 0;
  const std::string copy(text);
  const char* at = copy.c_str();
  if (*at == '\0') return std::nullopt;
  while (*at != '\0') {
    if (*at < '0' || *at > '9') return std::nullopt;
    double number = 0;
    for (; *at >= '0' && *at <= '9'; ++at) number = number * 10 + (*at - '0');
    switch (*at) {
      case 'h':
        number *= 3600, ++at;
        break;
      case 'm':
        number *= 60, ++at;
        break;
      case 's':
        ++at;
        break;
      case '\0':
        break;
      default:
        return std::nullopt;
    }
    total += number;
  }
  return total > 0 && total < 1e9 ? std::optional(total) : std::nullopt;
}

}  // namespace imgbuild
