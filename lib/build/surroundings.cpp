#include "build/surroundings.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace imgbuild {
namespace {

struct GitSetting {
  std::string key, value;
};

// A shell does it, which git runs its helpers by: nothing of ours need be in the image for it, nor any one program.
std::vector<GitSetting> git_settings(const Plan& plan, const std::string& secrets) {
  std::vector<GitSetting> all;
  for (const GitToken& token : plan.git_tokens) {
    const std::string key = "credential.https://" + token.host + ".helper";
    all.push_back({key, ""});  // none but the next
    all.push_back({key, R"(!f() { test "$1" = get && printf "username=%s\npassword=%s\n" )" + token.user + " \"$(cat " +
                            secrets + "/" + token.secret + ")\"; }; f"});
  }
  return all;
}

std::string value_of(const std::vector<std::string>& env, const std::string& name) {
  std::string value;
  for (const auto& entry : env)
    if (entry.starts_with(name + "=")) value = entry.substr(name.size() + 1);
  return value;
}

}  // namespace

std::string git_user(std::string_view host, std::string_view variable, std::string_view token) {
  if (variable == "CI_JOB_TOKEN" || token.starts_with("glcbt-")) return "gitlab-ci-token";
  if (host.find("gitlab") != std::string_view::npos) return "oauth2";
  if (host.find("bitbucket") != std::string_view::npos) return "x-token-auth";
  return "x-access-token";
}

std::vector<std::string> git_environment(const Plan& plan, const std::vector<std::string>& env,
                                         const std::string& secrets) {
  const auto settings = git_settings(plan, secrets);
  if (settings.empty()) return {};
  std::size_t count = 0;
  for (const char c : value_of(env, "GIT_CONFIG_COUNT"))
    if (c >= '0' && c <= '9' && count < 10000) count = 10 * count + static_cast<std::size_t>(c - '0');
  std::vector<std::string> all;
  std::string parameters = value_of(env, "GIT_CONFIG_PARAMETERS");
  for (const auto& [key, value] : settings) {
    const std::string n = std::to_string(count++);
    all.push_back("GIT_CONFIG_KEY_" + n + "=" + key);
    all.push_back("GIT_CONFIG_VALUE_" + n + "=" + value);
    parameters += (parameters.empty() ? "'" : " '") + key + "=" + value + "'";
  }
  all.push_back("GIT_CONFIG_COUNT=" + std::to_string(count));
  all.push_back("GIT_CONFIG_PARAMETERS=" + parameters);
  return all;
}

std::string git_config_file(const Plan& plan, const std::string& secrets) {
  std::string file;
  for (const auto& [key, value] : git_settings(plan, secrets)) {
    std::string quoted;
    for (const char c : value) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
    const std::string url = key.substr(11, key.size() - 11 - 7);  // between "credential." and ".helper"
    file += "[credential \"" + url + "\"]\n\thelper = \"" + quoted + "\"\n";
  }
  return file;
}

std::optional<Secret> git_login(const std::vector<GitToken>& tokens, const std::vector<HandedSecret>& secrets,
                                std::string_view id) {
  if (id.starts_with("HTTP_AUTH_HEADER") || id.starts_with("HTTP_AUTH_TOKEN")) return Secret();
  const std::string_view name = id.substr(0, id.find('.'));
  if (name != "GIT_AUTH_HEADER" && name != "GIT_AUTH_TOKEN") return std::nullopt;
  const std::string host = lower(id.substr(std::min(name.size() + 1, id.size())));
  const auto token = std::find_if(tokens.begin(), tokens.end(), [&](const auto& each) { return each.host == host; });
  if (token == tokens.end()) return Secret();
  const auto known =
      std::find_if(secrets.begin(), secrets.end(), [&](const auto& each) { return each.id == token->secret; });
  if (known == secrets.end()) return Secret();
  const std::string_view word = trim(known->value.reveal());
  if (name == "GIT_AUTH_TOKEN") return Secret(word);
  std::string login = token->user + ":";
  login.reserve(login.size() + word.size());
  login += word;
  std::string coded = base64(view_of(login));
  std::string header;
  header.reserve(coded.size() + 6);
  header = "basic ";
  header += coded;
  Secret made(header);
  for (std::string* each : {&login, &coded, &header}) wipe(each->data(), each->size());
  return made;
}

std::vector<std::string> proxy_environment(const Plan& plan) {
  std::vector<std::string> all;
  for (const ProxyVariable& proxy : plan.proxies) {
    std::string upper = proxy.name;
    std::transform(upper.begin(), upper.end(), upper.begin(),
                   [](char c) { return static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c); });
    for (const auto& name : {proxy.name, upper}) all.push_back(name + "=" + std::string(proxy.value->reveal()));
  }
  return all;
}

std::vector<std::string> secrets_of_proxy(std::string_view url) {
  std::string_view rest = url;
  if (const auto scheme = rest.find("://"); scheme != std::string_view::npos) rest.remove_prefix(scheme + 3);
  const auto at = rest.substr(0, rest.find('/')).rfind('@');
  const auto colon = rest.find(':');
  if (at == std::string_view::npos || colon == std::string_view::npos || colon + 1 >= at) return {};
  const std::string password(rest.substr(colon + 1, at - colon - 1));
  std::string decoded;
  for (std::size_t i = 0; i < password.size(); ++i) {
    const auto byte = password[i] == '%' && i + 2 < password.size() ? unhex(password.substr(i + 1, 2)) : std::nullopt;
    decoded += byte ? static_cast<char>(byte->front()) : password[i];
    if (byte) i += 2;
  }
  std::vector<std::string> all{std::string(url), password};
  if (decoded != password) all.push_back(decoded);
  return all;
}

}  // namespace imgbuild
