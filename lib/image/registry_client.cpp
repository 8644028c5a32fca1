// Who is asked, and as whom. A request goes out with what the last login gave; a 401 names how to log in, which is done
// once for each request that is refused. Redirects are followed here, not by curl, so that the Authorization stays with
// the server that it is for.
#include "image/registry_client.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>

#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "image/json.hpp"

namespace imgbuild {
namespace {

constexpr int most_redirects = 5;
constexpr unsigned patience = 60, most_wait_ms = 30'000;
constexpr unsigned upload_patience = 900;  // a registry may hash and move gigabytes before it answers
constexpr std::size_t most_answer = std::size_t{1} << 20;

struct Wiped {
  std::string text;
  ~Wiped() { wipe(text.data(), text.size()); }
};

/// "host:5000" of a reference as a URL's server.
Url server_of(const std::string& registry) {
  return parse_url("https://" + (registry == "docker.io" ? std::string("registry-1.docker.io") : registry));
}

/// The first file of the folder with that ending, by name; empty: none.
std::string first_file(const std::string& folder, const std::string& ending) {
  std::vector<std::string> files;
  std::error_code none;
  for (const auto& file : std::filesystem::directory_iterator(folder, none))
    if (file.path().extension() == ending) files.push_back(file.path().string());
  std::sort(files.begin(), files.end());
  return files.empty() ? std::string() : files.front();
}

std::string body_of(HttpBody& answer) {
  std::string text;
  for (View piece = answer.next(); !piece.empty() && text.size() < most_answer; piece = answer.next())
    text += text_of(piece);
  return text;
}

bool may_be_asked_again(int status) { return status == 429 || status >= 500; }

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

RegistryClient::RegistryClient(const Reference& reference, const Variables& variables, RegistryOptions options,
                               std::string actions)
    : options_(options), variables_(variables), actions_(std::move(actions)) {
  host_name_ = reference.registry();
  repository_ = reference.repository;
  if (repository_.starts_with(host_name_ + "/")) repository_.erase(0, host_name_.size() + 1);
  if (host_name_ == "index.docker.io" || host_name_ == "registry-1.docker.io") host_name_ = "docker.io";
  if (host_name_ == "docker.io" && repository_.find('/') == std::string::npos) repository_.insert(0, "library/");
  name_ = printable(host_name_ + "/" + repository_);
  try {
    server_ = server_of(host_name_);
  } catch (const Error& error) {
    throw usage_error(name_ + ": " + error.what(), "registry:HOST[:PORT]/NAME[:TAG]");
  }
  login_ = find_login(host_name_, variables_);
}

HttpEndpoint RegistryClient::endpoint_of(const Url& url) const {
  HttpEndpoint endpoint;
  endpoint.host = url.host;
  endpoint.port = url.port;
  endpoint.tls = url.tls;
  endpoint.proxy = !is_loopback(url.host);
  endpoint.patience = patience;
  const std::string name = url.port == 443 ? url.host : url.host + ":" + std::to_string(url.port);
  for (const std::string& folder : {variables_("HOME") + "/.config/docker/certs.d/",
                                    std::string("/etc/docker/certs.d/"), std::string("/etc/containers/certs.d/")}) {
    endpoint.ca = first_file(folder + name, ".crt");
    endpoint.cert = first_file(folder + name, ".cert");
    if (!endpoint.cert.empty()) endpoint.key = std::filesystem::path(endpoint.cert).replace_extension(".key").string();
    if (!endpoint.ca.empty() || !endpoint.cert.empty()) break;
  }
  return endpoint;
}

/// On loopback a registry is often plain HTTP: it is asked, without credentials, which it is.
void RegistryClient::find_scheme() {
  const std::lock_guard lock(mutex_);
  if (std::exchange(scheme_known_, true) || !is_loopback(server_.host)) return;
  Url plain = server_;
  plain.tls = false;
  if (host_name_.find(':') == std::string::npos) plain.port = 80;
  HttpEndpoint endpoint = endpoint_of(plain);
  if (!endpoint.ca.empty()) return;  // somebody took the trouble: it is TLS
  endpoint.ca.clear();
  endpoint.patience = 5;
  try {
    HttpRequest ping;
    ping.target = "/v2/";
    const int status = HttpClient(endpoint).open(ping)->head().status;
    // A TLS server answers what is not TLS with 400, or with what is no HTTP.
    if (status != 400 && !is_redirect(status)) server_ = plain;
  } catch (const Interrupted&) {
    throw;
  } catch (const Error&) {  // no HTTP
  }
}

void RegistryClient::wait(unsigned number, const std::string& retry_after) const {
  unsigned wait_ms = options_.first_wait_ms << std::min(number - 1, 8U);
  unsigned asked = 0;
  const auto [end, error] = std::from_chars(retry_after.data(), retry_after.data() + retry_after.size(), asked);
  if (error == std::errc() && end == retry_after.data() + retry_after.size())
    wait_ms = std::max(wait_ms, std::min(asked, most_wait_ms / 1000) * 1000);
  pollfd signal = {interrupt::fd(), POLLIN, 0};
  ::poll(&signal, 1, static_cast<int>(std::min(wait_ms, most_wait_ms)));
  interrupt::check();
}

std::shared_ptr<const Secret> RegistryClient::authorization() const {
  const std::lock_guard lock(mutex_);
  return authorization_;
}

Url RegistryClient::url(const std::string& path) {
  find_scheme();
  Url url = server_;
  url.target = "/v2/" + percent_encode(repository_, "/") + path;
  return url;
}

std::unique_ptr<HttpBody> RegistryClient::get(const std::string& path, const std::vector<std::string>& headers) {
  RegistryRequest request;
  request.url = url(path);
  request.headers = headers;
  return ask(request);
}

std::unique_ptr<HttpBody> RegistryClient::ask(const RegistryRequest& request) {
  static const Secret nobody;
  bool logged_in = false;
  for (unsigned attempt = 1;; ++attempt) {
    const bool last = attempt >= options_.attempts || request.upload != nullptr;  // of that its caller decides
    const auto credential = authorization();
    std::unique_ptr<HttpBody> answer;
    try {
      answer = send(request, credential ? *credential : nobody);
    } catch (const Interrupted&) {
      throw;
    } catch (const Unreachable& error) {  // a name that is wrong does not become right
      throw Error(name_ + ": " + without_secrets(error.what()),
                  server_.tls ? "a certificate of your own authority goes into /etc/docker/certs.d/" +
                                    printable(host_name_) + "/ca.crt"
                              : "");
    } catch (const Error& error) {
      if (last) throw Error(name_ + ": " + without_secrets(error.what()));
      wait(attempt);
      continue;
    }
    const int status = answer->head().status;
    if ((status >= 200 && status < 300) || status == 404 || status == 416) return answer;
    if (status == 401 && !logged_in) {
      logged_in = true;
      log_in(answer->head().header("www-authenticate"), credential);
      continue;
    }
    if (may_be_asked_again(status) && !last) {
      wait(attempt, answer->head().header("retry-after"));
      continue;
    }
    if (request.upload != nullptr) return answer;
    throw refusal(*answer);
  }
}

std::unique_ptr<HttpBody> RegistryClient::send(const RegistryRequest& asked, const Secret& authorization) {
  Url url = asked.url;
  for (int hop = 0;; ++hop) {
    HttpRequest request;
    request.method = asked.method;
    request.target = url.target;
    request.headers = asked.headers;
    request.body = asked.body;
    std::optional<WholeSource> upload;
    if (asked.upload != nullptr) {
      request.upload = &upload.emplace(*asked.upload);
      request.upload_size = asked.upload->size();
    }
    Wiped line;
    if (!authorization.empty() && url.same_server(server_)) {
      line.text = "Authorization: " + std::string(authorization.reveal());
      request.headers.push_back(line.text);
    }
    HttpEndpoint endpoint = endpoint_of(url);
    if (asked.upload != nullptr) endpoint.patience = upload_patience;
    std::unique_ptr<HttpBody> answer = HttpClient(std::move(endpoint)).open(request);
    for (auto& one : request.headers) wipe(one.data(), one.size());
    if (!is_redirect(answer->head().status)) return answer;
    if (hop == most_redirects) throw Error("more than " + std::to_string(most_redirects) + " redirects");
    url = follow(url, answer->head().header("location"));
  }
}

Url RegistryClient::follow(const Url& from, const std::string& location) const {
  Url url;
  try {
    url = resolve_url(from, location);
  } catch (const Error& error) {
    throw error.within("a redirect to nowhere");
  }
  if (!url.tls && (server_.tls || !is_loopback(url.host))) throw Unreachable("it redirects to a server without TLS", 0);
  return url;
}

Secret RegistryClient::basic() const {
  const Wiped pair{login_.user + ":" + std::string(login_.password.reveal())};
  const Wiped value{"Basic " + base64(view_of(pair.text))};
  return Secret(value.text);
}

void RegistryClient::log_in(const std::string& challenge, const std::shared_ptr<const Secret>& refused) {
  const std::lock_guard one_at_a_time(login_mutex_);
  if (authorization() != refused) return;  // another thread has logged in meanwhile
  const Challenge asked = parse_challenge(challenge);
  const auto become = [this](Secret value) {
    const std::lock_guard lock(mutex_);
    authorization_ = std::make_shared<const Secret>(std::move(value));
  };
  if (asked.scheme == "bearer") return become(fetch_token(asked));
  if (asked.scheme != "basic") throw Error(name_ + ": it wants a login of a kind that is not known");
  if (refused || login_.password.empty())
    throw Error(name_ + ": " + (refused ? "it refused the user and the password" : "it wants a login"),
                "`docker login " + printable(host_name_) + "` logs in");
  become(basic());
}

/// A token for the repository, of the server that the challenge names: with a password by GET
/// (distribution's token specification), with an identity token by POST (OAuth2), or for nobody in particular.
Secret RegistryClient::fetch_token(const Challenge& challenge) const {
  const std::string who = name_ + ": its token server";
  try {
    Url realm = parse_url(challenge.parameter("realm"));
    if (!realm.tls && (server_.tls || !is_loopback(realm.host))) throw Error("is without TLS");
    const std::string scope = "repository:" + repository_ + ":" + actions_, service = challenge.parameter("service");
    HttpRequest request;
    Wiped line, form;
    const std::string query = "service=" + percent_encode(service) + "&scope=" + percent_encode(scope);
    if (!login_.identity_token.empty()) {
      const Wiped token{percent_encode(login_.identity_token.reveal())};
      form.text = "grant_type=refresh_token&client_id=imgbuild&" + query + "&refresh_token=" + token.text;
      request.method = "POST";
      request.body = form.text;
      request.headers.push_back("Content-Type: application/x-www-form-urlencoded");
    } else {
      realm.target += (realm.target.find('?') == std::string::npos ? "?" : "&") + query;
      if (!login_.password.empty()) {
        realm.target += "&account=" + percent_encode(login_.user);
        const Secret value = basic();
        line.text = "Authorization: " + std::string(value.reveal());
        request.headers.push_back(line.text);
      }
    }
    request.target = realm.target;
    for (unsigned attempt = 1;; ++attempt) {
      HttpAnswer answer = HttpClient(endpoint_of(realm)).request(request, most_answer);
      const Wiped body{std::move(answer.body)};
      if (may_be_asked_again(answer.status) && attempt < options_.attempts) {
        wait(attempt, answer.header("retry-after"));
        continue;
      }
      for (auto& one : request.headers) wipe(one.data(), one.size());
      wipe(request.body.data(), request.body.size());
      if (answer.status != 200)
        throw Error("refused with status " + std::to_string(answer.status),
                    "`docker login " + printable(host_name_) + "` logs in");
      const Json json = parse_json(body.text, "its answer");
      Wiped token{text_at(json, "token")};
      if (token.text.empty()) token.text = text_at(json, "access_token");
      if (token.text.empty()) throw Error("gave no token");
      if (!std::all_of(token.text.begin(), token.text.end(), [](char c) { return c > 0x20 && c < 0x7f; }))
        throw Error("gave a token that is none");
      const Wiped value{"Bearer " + token.text};
      return Secret(value.text);
    }
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    throw Error(who + ": " + without_secrets(error.what()), error.hint());
  }
}

Error RegistryClient::refusal(HttpBody& answer) const {
  const int status = answer.head().status;
  const Json json = Json::parse(body_of(answer), nullptr, false);
  const Json& errors = at(json, "errors");
  std::string words = errors.is_array() && !errors.empty() ? text_at(errors[0], "message") : std::string();
  words = without_secrets(printable(words.substr(0, 200)));
  std::string hint;
  if (status == 401 || status == 403) hint = "is the name right? `docker login " + printable(host_name_) + "` logs in";
  return Error(name_ + ": status " + std::to_string(status) + (words.empty() ? "" : " (" + words + ")"), hint);
}

/// A server may say back what it was sent.
std::string RegistryClient::without_secrets(std::string words) const {
  const auto holds = [&](std::string_view secret) {
    return secret.size() > 3 && words.find(secret) != std::string::npos;
  };
  const auto credential = authorization();
  std::string_view sent = credential ? credential->reveal() : std::string_view();
  sent.remove_prefix(std::min(sent.find(' ') + 1, sent.size()));
  if (holds(login_.password.reveal()) || holds(login_.identity_token.reveal()) || holds(sent))
    return "(what it said is left out)";
  return words;
}

}  // namespace imgbuild
