#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "verdict/verdict.hpp"

/// Where settings come from, and who may set what (design section 8). Flags win over IMGBUILD_* variables, they over
/// `imgbuild.toml` in the context, that over the user's config.toml. A context is a stranger's checkout: what it may
/// not say is a usage error, not something that is quietly dropped.
namespace imgbuild {

/// Whose words these are.
enum class Voice { flag, environment, context, user };

/// What one key was set to, and where.
struct Setting {
  std::vector<std::string> values;  ///< one for a text; "true" or "false" for a switch
  std::string from;                 ///< "imgbuild.toml:3", "$IMGBUILD_ENGINE", "--engine"
  Voice voice = Voice::user;
};

/// Where the value of a secret is read from: exactly one of the two.
struct SecretSource {
  std::string file, variable;
  std::string from = {};  ///< who says so: "config.toml:3"
};

/// What files and the environment say. A value; flags are laid over it by the commands.
class Settings {
 public:
  const Setting* find(std::string_view key) const;
  std::optional<std::string> text(std::string_view key) const;
  std::vector<std::string> list(std::string_view key) const;
  bool on(std::string_view key) const;

  using Values = std::map<std::string, Setting, std::less<>>;
  Values values;
  std::map<std::string, Values, std::less<>> builds;  ///< [build.NAME]: what differs for the build of that name
  std::map<std::string, SecretSource> secrets;        ///< by id; a source, not a grant: `--secret id=ID` hands it out
  std::vector<AllowEntry> allow;
};

/// Reads one file's text. `name` is what messages call it; a path in `rules`, `ssh_key_files` or a secret's `src` is
/// relative to the folder of `name`. Throws usage Error "NAME:LINE: what" on malformed TOML, an unknown key (with the
/// nearest known one, in [build.NAME] too), a key that `voice` may not set (with where it may stand), a value of the
/// wrong type, an allow-entry without a reason or with a date that is none.
Settings read_settings(std::string_view toml, const std::string& name, Voice voice);

struct SettingsRequest {
  std::string context;              ///< the folder whose imgbuild.toml is read; empty: none (`audit`)
  Settings::Values flags;           ///< laid over all else
  std::string build;                ///< --build; empty: $IMGBUILD_BUILD, else none
  std::string user_file;            ///< --config; empty: $XDG_CONFIG_HOME/imgbuild/config.toml where it exists
  std::optional<Severity> fail_on;  ///< the flag: a context may not be looser
  bool no_repo_allow = false;       ///< --no-repo-allow: the context's allow-entries are ignored
  std::function<const char*(const char*)> variable;  ///< getenv; empty: the process's own
};

/// All layers, settled; the chosen build's settings are laid over the others of their file. What is built is said by
/// one layer: a Dockerfile there hides base, script and command below it, and they hide a Dockerfile. Throws usage
/// Error as read_settings does, and where the context's `fail_on` is looser than the user's, and where no file has the
/// build.
Settings load_settings(const SettingsRequest& request);

/// A command as a Dockerfile writes one: a JSON array of strings is itself, anything else is for the shell
/// (["/bin/sh", "-c", text]); so is an array that does not parse, since `[ -f x ] && y` is a command too.
std::vector<std::string> command_words(std::string_view text);

/// "90s", "10m", "1h30m", "45": seconds. nullopt where it is none of that, or not above 0.
std::optional<double> seconds_of(std::string_view text);

}  // namespace imgbuild
