// What of a Dockerfile leaks can be told before it is built, since the ways are few and always the same: a file of
// credentials is copied in (and perhaps removed again, which leaves it in the layer below); a value travels in ENV, ARG
// or a URL, and stays in the config, the history or .git/config; or the host is trusted at first sight. A literal
// secret is not this file's business: the Dockerfile is staged and scanned as every file is.
#include "dockerfile/lint.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace imgbuild {
namespace {

constexpr const char* better_key = "RUN --mount=type=ssh with --ssh USER@HOST lends the right to sign, and no key";
constexpr const char* better_secret =
    "RUN --mount=type=secret,id=ID reads /run/secrets/ID, and --secret id=ID,src=FILE hands it out";

std::string_view base_name(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path.substr(path.rfind('/') + 1);
}

bool is_key_name(std::string_view path) {
  const std::string name = lower(base_name(path));
  return name.starts_with("id_rsa") || name.starts_with("id_ed25519") || name.starts_with("id_ecdsa") ||
         name.starts_with("id_dsa") || name == ".ssh" || name.ends_with(".ppk");
}

// The words of a shell's commands; operators are words of their own.
std::vector<std::string> command_words_of(const std::string& command) {
  std::string spaced;
  for (const char c : command) {
    const bool operates = c == ';' || c == '|' || c == '&' || c == '>' || c == '(' || c == ')' || c == '\n';
    if (operates) spaced += ' ';
    spaced += c == '\n' ? ';' : c;
    if (operates) spaced += ' ';
  }
  return shell_words(spaced);
}

// Like GITHUB_TOKEN, DB_PASSWORD; not like SSH_AUTH_SOCK, TOKENIZER, PUBLIC_KEY or PASSWORD_FILE.
bool is_credential_name(const std::string& name) {
  const std::string low = lower(name);
  const auto parts = split(low, '_');
  const auto has = [&](std::string_view word) { return std::find(parts.begin(), parts.end(), word) != parts.end(); };
  if (has("public") || has("file") || has("path") || has("dir") || has("url") || has("id") || has("type") ||
      has("name"))
    return false;
  if (has("token") || has("password") || has("passwd") || has("secret") || has("passphrase") || has("apikey") ||
      has("credentials") || low.ends_with("password") || low.ends_with("token"))
    return true;
  return has("key") && (has("api") || has("private") || has("access") || has("ssh") || has("deploy") || has("secret"));
}

// scheme://user[:word]@ in it? Where, else npos.
bool has_login_url(std::string_view text) {
  for (auto at = text.find("://"); at != std::string_view::npos; at = text.find("://", at + 3)) {
    std::size_t begin = at;
    while (begin > 0 && ((text[begin - 1] >= 'a' && text[begin - 1] <= 'z') ||
                         (text[begin - 1] >= 'A' && text[begin - 1] <= 'Z') || text[begin - 1] == '+'))
      --begin;
    const std::string scheme = lower(text.substr(begin, at - begin));
    if (!scheme.ends_with("http") && !scheme.ends_with("https")) continue;
    const std::string_view rest = text.substr(at + 3);
    const std::string_view host = rest.substr(0, rest.find_first_of("/ \t\n\"'?#"));
    const auto sign = host.rfind('@');
    if (sign != std::string_view::npos && sign > 0) return true;
  }
  return false;
}

class Linter {
 public:
  Linter(const Dockerfile& file, const LintFacts& facts) : file_(file), facts_(facts) {}

  std::vector<Advice> all() {
    for (const auto& instruction : file_.instructions) {
      if (instruction.name == "FROM") keys_.clear();
      look(instruction);
      for (const auto& inner : instruction.inner) look(inner);
    }
    std::stable_sort(advice_.begin(), advice_.end(), [](const Advice& a, const Advice& b) { return a.line < b.line; });
    return std::move(advice_);
  }

 private:
  void tell(const DockerInstruction& at, const char* rule, const std::string& says, const std::string& better) {
    for (const auto& one : advice_)
      if (one.line == at.line && one.rule == rule && one.says == says) return;
    advice_.push_back({at.line, std::string("dockerfile.") + rule, says, better});
  }

  void look(const DockerInstruction& at) {
    if (at.name == "COPY" || at.name == "ADD") copied(at);
    if (at.name == "ENV" || at.name == "ARG" || at.name == "LABEL") named(at);
    if (at.name == "RUN") run(at);
    if (at.name != "LABEL" && has_login_url(at.command()))
      tell(at, "url-credential",
           "a credential in a URL stays in the history, and in .git/config where git was given it",
           "clone by ssh (RUN --mount=type=ssh), or hand the token out as a secret and let git read it from there");
  }

  void copied(const DockerInstruction& at) {
    auto paths = at.paths();
    if (paths.size() < 2) return;
    const std::string to = paths.back();
    paths.pop_back();
    for (const auto& path : paths) {
      if (path.starts_with("<<")) continue;
      const std::string_view name = base_name(path);
      if (is_credential_path(path, *facts_.scanner)) {
        keys_.emplace_back(std::string(name), at.line);
        if (!to.ends_with('/')) keys_.emplace_back(std::string(base_name(to)), at.line);
        const bool from_stage = !at.flag("from").empty();
        tell(at, "copied-key",
             at.name + " of " + path + (from_stage ? " out of another stage" : "") + ": whoever has the image has it",
             is_key_name(path) ? better_key : better_secret);
      } else if (!to.ends_with('/') && is_credential_path(to, *facts_.scanner)) {
        keys_.emplace_back(std::string(base_name(to)), at.line);
        tell(at, "copied-key", at.name + " to " + to + ": whoever has the image has it",
             is_key_name(to) ? better_key : better_secret);
      }
      const bool everything = path == "." || path == "./" || path == "/" || path == "*" || path == "./*";
      if (everything && at.flag("from").empty() && !facts_.has_ignore)
        tell(at, "copy-all", at.name + " " + path + " without a .dockerignore takes along whatever lies there",
             "a .dockerignore that lets in what the build needs: `*` first, then `!src` and the like");
    }
  }

  void named(const DockerInstruction& at) {
    for (const auto& [name, value] : at.pairs()) {
      if (!is_credential_name(name)) continue;
      if (at.name == "ENV" && value.empty()) continue;
      tell(at, "named-credential",
           at.name + " " + name +
               (at.name == "ARG" ? ": a build argument stays in the history" : ": it stays in the image's config"),
           better_secret);
    }
  }

  void run(const DockerInstruction& at) {
    const std::string command = at.command();
    const auto words = command_words_of(command);
    mounts(at);
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::string& word = words[i];
      const std::string name(base_name(word));
      if (name == "ssh-keyscan" || lower(word).find("stricthostkeychecking=no") != std::string::npos ||
          lower(word).find("stricthostkeychecking=accept-new") != std::string::npos ||
          (lower(word) == "stricthostkeychecking" && i + 1 < words.size() &&
           (lower(words[i + 1]) == "no" || lower(words[i + 1]) == "accept-new")))
        tell(at, "host-unproved", "whoever answers is taken for the host",
             "RUN --mount=type=ssh --mount=type=secret,id=known_hosts, with GIT_SSH_COMMAND='ssh -o "
             "UserKnownHostsFile=/run/secrets/known_hosts': imgbuild hands out the keys of the hosts of --ssh");
      const bool writes = i > 0 && words[i - 1] == ">";
      if (writes && is_credential_path(word, *facts_.scanner)) {
        keys_.emplace_back(name, at.line);
        tell(at, "written-key", "writes " + word + " into the layer", is_key_name(word) ? better_key : better_secret);
      }
      if (name == "rm" || name == "shred" || name == "unlink") removed(at, words, i + 1);
    }
  }

  void removed(const DockerInstruction& at, const std::vector<std::string>& words, std::size_t from) {
    static constexpr std::array<std::string_view, 4> ends = {";", "|", "&", ")"};
    for (std::size_t i = from; i < words.size(); ++i) {
      if (std::find(ends.begin(), ends.end(), words[i]) != ends.end()) return;
      const std::string_view name = base_name(words[i]);
      for (const auto& [key, line] : keys_) {
        if (line >= at.line || !(key == name || (!name.empty() && glob_matches(name, key)))) continue;
        tell(at, "removed-later", "removes " + words[i] + ", which stays in the layer of line " + std::to_string(line),
             "never have it in a layer: " + std::string(is_key_name(key) ? better_key : better_secret));
        break;
      }
    }
  }

  void mounts(const DockerInstruction& at) {
    for (const auto& [flag, value] : at.flags) {
      if (flag != "mount") continue;
      std::string type = "bind", id, target;
      for (const auto& part : split(value, ',')) {
        const auto equals = part.find('=');
        const std::string key = lower(part.substr(0, equals));
        const std::string said = equals == std::string::npos ? "" : part.substr(equals + 1);
        if (key == "type") type = said;
        if (key == "id") id = said;
        if (key == "target" || key == "dst" || key == "destination") target = said;
      }
      if (type == "ssh" && !facts_.lends_agent)
        tell(at, "agent-not-lent", "asks for the ssh agent, and no host is granted", "--ssh USER@HOST grants one");
      if (type != "secret") continue;
      if (id.empty()) id = std::string(base_name(target));
      if (!facts_.secrets.contains(id) && id.find('$') == std::string::npos)
        tell(at, "secret-not-given", "asks for the secret " + id + ", which is not given",
             "--secret id=" + id + ",src=FILE, or env=VARIABLE");
    }
  }

  const Dockerfile& file_;
  const LintFacts& facts_;
  std::vector<std::pair<std::string, std::uint32_t>> keys_;  // files of credentials in this stage, and where from
  std::vector<Advice> advice_;
};

}  // namespace

bool is_credential_path(std::string_view path, const Scanner& scanner) {
  const std::string name = lower(base_name(path));
  if (name.ends_with(".pub") || name == "known_hosts" || name == "authorized_keys") return false;
  static constexpr std::array<std::string_view, 16> names = {
      ".npmrc",     ".netrc",          "_netrc", ".pypirc", ".git-credentials", ".dockercfg", ".env",
      ".htpasswd",  ".pgpass",         ".ssh",   ".aws",    ".gnupg",           ".kube",      ".vault-token",
      "kubeconfig", "credentials.json"};
  static constexpr std::array<std::string_view, 9> endings = {".pem", ".key",      ".p12",  ".pfx",    ".jks",
                                                              ".ppk", ".keystore", ".kdbx", ".tfstate"};
  if (is_key_name(path) || std::find(names.begin(), names.end(), name) != names.end()) return true;
  if (std::any_of(endings.begin(), endings.end(), [&](std::string_view end) { return name.ends_with(end); }))
    return true;
  if (path.ends_with(".docker/config.json") || path.ends_with(".aws/credentials") || path.ends_with(".kube/config"))
    return true;
  while (path.starts_with("./")) path.remove_prefix(2);
  while (path.starts_with('/')) path.remove_prefix(1);
  return !scanner.scan_name(std::string(path)).empty();
}

std::vector<Advice> lint(const Dockerfile& file, const LintFacts& facts) { return Linter(file, facts).all(); }

}  // namespace imgbuild
