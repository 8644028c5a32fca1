#include "engine/api.hpp"

#include <cerrno>
#include <charconv>

#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "engine/ssh_road.hpp"

namespace imgbuild {
namespace {

Error unreachable(const Unreachable& error, const EngineAddress& address) {
  std::string hint = "start it (systemctl start docker), or say which engine with --engine or DOCKER_HOST";
  if (!address.http.tunnel.empty())
    hint = ssh_hint(error.what(), address.http.tunnel);
  else if (error.number() == EACCES || error.number() == EPERM)
    hint = "become a member of the group docker (sudo usermod -aG docker $USER, then log in again), or use sudo";
  else if (address.http.tls && error.number() == 0)
    hint = "ca.pem, cert.pem and key.pem come from DOCKER_CERT_PATH or the docker context";
  return Error("engine: none answers at " + std::string(error.what()) + " (from " + address.from + ")", hint);
}

// Transport failures told as the engine's; an interrupt stays what it is.
template <class Work>
auto told(const EngineAddress& address, Work work) {
  try {
    return work();
  } catch (const Interrupted&) {
    throw;
  } catch (const Unreachable& error) {
    throw unreachable(error, address);
  } catch (const Error& error) {
    throw error.within("engine");
  }
}

// Gives an engine's stream its name in failures.
class NamedBody : public HttpBody {
 public:
  NamedBody(std::unique_ptr<HttpBody> body, EngineAddress address, std::string what)
      : body_(std::move(body)), address_(std::move(address)), what_(std::move(what)) {}
  const HttpHead& head() const override { return body_->head(); }
  View next() override {
    return told(address_, [&] {
      try {
        return body_->next();
      } catch (const Interrupted&) {
        throw;
      } catch (const Error& error) {
        throw error.within(what_);
      }
    });
  }

 private:
  std::unique_ptr<HttpBody> body_;
  EngineAddress address_;
  std::string what_;
};

// What an engine says instead of what it was asked for.
Error refusal_in(HttpBody& body, const std::string& what) {
  HttpAnswer answer;
  static_cast<HttpHead&>(answer) = body.head();
  for (View piece = body.next(); !piece.empty() && answer.body.size() < 65536; piece = body.next())
    answer.body += text_of(piece);
  return Api::refusal(what, answer);
}

}  // namespace

std::string negotiate(const std::string& theirs) {
  int minor = -1;
  const bool first = theirs.starts_with("1.");
  if (first) std::from_chars(theirs.data() + 2, theirs.data() + theirs.size(), minor);
  if (!first || minor < 0) throw Error("engine: what answers is no Docker engine: it names no API version");
  if (minor < oldest_minor)
    throw Error("engine: it speaks API " + printable(theirs) + ", 1." + std::to_string(oldest_minor) +
                    " is the oldest that will do",
                "Docker 19.03 and later will do");
  return "1." + std::to_string(std::min(minor, newest_minor));
}

Api::Api(EngineAddress address)
    : address_(std::move(address)),
      client_([&] { return told(address_, [&] { return HttpClient(address_.http); }); }()) {
  const HttpAnswer pong = ask("GET", "/_ping");
  podman_ = !pong.header("libpod-api-version").empty();
  const auto theirs = pong.headers.find("api-version");
  if (pong.status != 200 && theirs == pong.headers.end()) throw refusal("ping", pong);
  version_ = negotiate(theirs == pong.headers.end() ? "" : theirs->second);
  minor_ = std::stoi(version_.substr(2));
}

HttpAnswer Api::ask(const std::string& method, const std::string& path, const std::string& body,
                    const std::string& type) {
  HttpRequest request{method, path_of(path), {}, body, nullptr};
  if (!body.empty()) request.headers.push_back("Content-Type: " + type);
  return told(address_, [&] { return client_.request(request); });
}

HttpAnswer Api::send(const std::string& path, Source& body, const std::string& type) {
  return told(address_, [&] { return client_.request({"POST", path_of(path), {"Content-Type: " + type}, {}, &body}); });
}

Json Api::demand(const std::string& what, const std::string& method, const std::string& path, const std::string& body) {
  const HttpAnswer answer = ask(method, path, body);
  if (answer.status < 200 || answer.status > 299) throw refusal(what, answer);
  if (answer.body.empty()) return {};
  try {
    return parse_json(answer.body, "the answer");
  } catch (const Error& error) {
    throw error.within("engine: " + what);
  }
}

std::unique_ptr<HttpBody> Api::open(const std::string& what, const std::string& method, const std::string& path,
                                    const std::vector<std::string>& headers, Source* upload) {
  auto body = std::make_unique<NamedBody>(told(address_,
                                               [&] {
                                                 return client_.open({method, path_of(path), headers, {}, upload});
                                               }),
                                          address_, what);
  if (body->head().status == 200) return body;
  throw refusal_in(*body, what);
}

std::unique_ptr<HttpBody> Api::find(const std::string& what, const std::string& path) {
  auto body = std::make_unique<NamedBody>(told(address_,
                                               [&] {
                                                 return client_.open({"GET", path_of(path), {}, {}, nullptr});
                                               }),
                                          address_, what);
  if (body->head().status == 200) return body;
  if (body->head().status == 404) return nullptr;
  throw refusal_in(*body, what);
}

std::unique_ptr<Stream> Api::hijack(const std::string& what, const std::string& path, const std::string& body,
                                    const std::vector<std::string>& headers, const std::string& upgrade) {
  HttpRequest request{"POST", path_of(path), headers, body, nullptr};
  request.upgrade = upgrade;
  if (!body.empty()) request.headers.push_back("Content-Type: application/json");
  Hijacked hijacked = told(address_, [&] { return client_.hijack(request); });
  if (!hijacked.stream) throw refusal(what, hijacked.answer);
  return std::move(hijacked.stream);
}

std::unique_ptr<Stream> Api::begin(const std::string& path, const std::vector<std::string>& headers) {
  return told(address_, [&] { return client_.begin({"POST", path_of(path), headers, {}, nullptr}); });
}

Error Api::refusal(const std::string& what, const HttpAnswer& answer) {
  const Json json = Json::parse(answer.body, nullptr, false);
  std::string words = text_at(json, "message");
  if (words.empty()) words = text_at(json, "cause");
  if (words.empty() && !json.is_structured()) words = answer.body;
  words = one_line(words);
  if (words.empty()) words = "status " + std::to_string(answer.status);
  return Error("engine: " + what + ": " + words);
}

}  // namespace imgbuild
