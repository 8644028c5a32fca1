// A docker context is a folder of Docker's client: contexts/meta/<sha256 of its name>/meta.json says where the engine
// is, contexts/tls/<the same>/docker/ holds ca.pem, cert.pem and key.pem.
#include "engine/endpoint.hpp"

#include <unistd.h>

#include <charconv>

#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "engine/ssh_road.hpp"
#include "image/json.hpp"

namespace imgbuild {
namespace {

constexpr const char* default_address = "unix:///var/run/docker.sock";

bool there(const std::string& path) { return ::access(path.c_str(), R_OK) == 0; }

void add_certificates(HttpEndpoint& endpoint, const std::string& folder) {
  if (there(folder + "/ca.pem")) endpoint.ca = folder + "/ca.pem";
  if (there(folder + "/cert.pem") && there(folder + "/key.pem")) {
    endpoint.cert = folder + "/cert.pem";
    endpoint.key = folder + "/key.pem";
  }
}

HttpEndpoint parse_address(const std::string& text) {
  HttpEndpoint endpoint;
  const std::string shown = printable(text);
  if (text.starts_with("unix://")) {
    endpoint.socket = text.substr(7);
    if (!endpoint.socket.starts_with("/"))
      throw usage_error("engine: " + shown + ": the socket's path must be absolute");
    return endpoint;
  }
  if (text.starts_with("ssh://")) {
    endpoint.tunnel = ssh_command(text);
    endpoint.host = text.substr(6);
    return endpoint;
  }
  if (!text.starts_with("tcp://"))
    throw usage_error("engine: " + shown + ": no address of an engine",
                      "unix:///PATH, tcp://HOST:PORT or ssh://[USER@]HOST[:PORT]");

  std::string_view rest = std::string_view(text).substr(6);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  std::string_view port;
  if (rest.starts_with('[')) {
    const std::size_t end = rest.find(']');
    if (end == std::string_view::npos) throw usage_error("engine: " + shown + ": no address of an engine");
    endpoint.host = rest.substr(1, end - 1);
    if (end + 1 < rest.size()) port = rest.substr(end + 2);
  } else {
    const std::size_t colon = rest.find(':');
    endpoint.host = rest.substr(0, colon);
    if (colon != std::string_view::npos) port = rest.substr(colon + 1);
  }
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (endpoint.host.empty() || endpoint.host.find_first_of("/@?# ") != std::string::npos || error != std::errc() ||
      end != port.data() + port.size() || endpoint.port == 0)
    throw usage_error("engine: " + shown + ": no address of an engine", "tcp://HOST:PORT");
  return endpoint;
}

EngineAddress from_variables(const std::string& text, const std::string& from, const Variables& variables) {
  EngineAddress address{parse_address(text), text, from};
  if (address.http.port != 0 && !variables("DOCKER_TLS_VERIFY").empty()) {
    const std::string folder = variables("DOCKER_CERT_PATH");
    address.http.tls = true;
    add_certificates(address.http, folder.empty() ? docker_config_folder(variables) : folder);
  }
  return address;
}

EngineAddress from_context(const std::string& name, const Variables& variables) {
  const std::string circumstance = "docker context \"" + printable(name) + "\"";
  const std::string contexts = docker_config_folder(variables) + "/contexts/";
  const std::string id = hex(sha256(view_of(name)));
  const std::string meta = contexts + "meta/" + id + "/meta.json";
  if (!there(meta))
    throw Error("engine: there is no " + circumstance, "`docker context ls` lists them; or say --engine unix:///PATH");
  try {
    const Json endpoint = at(at(parse_json(read_file(meta, 1 << 20), "meta.json"), "Endpoints"), "docker");
    const std::string host = text_at(endpoint, "Host");
    if (host.empty()) throw Error("it names no engine");
    EngineAddress address{parse_address(host), host, circumstance};
    const std::string tls = contexts + "tls/" + id + "/docker";
    if (address.http.port != 0 && there(tls)) {
      address.http.tls = true;
      address.http.verify = at(endpoint, "SkipTLSVerify") != Json(true);
      add_certificates(address.http, tls);
    }
    return address;
  } catch (const Error& error) {
    throw error.within(circumstance);
  }
}

}  // namespace

EngineAddress choose_engine(const std::string& given, const Variables& variables) {
  const auto named = [&](const std::string& name) {
    return name == "default" ? from_variables(default_address, default_engine, variables)
                             : from_context(name, variables);
  };
  if (given.starts_with("/")) return from_variables("unix://" + given, "--engine", variables);
  if (given.find("://") != std::string::npos) return from_variables(given, "--engine", variables);
  if (!given.empty()) return named(given);
  if (const std::string host = variables("DOCKER_HOST"); !host.empty())
    return from_variables(host, "DOCKER_HOST", variables);
  if (const std::string context = variables("DOCKER_CONTEXT"); !context.empty()) return named(context);

  const std::string config = docker_config_folder(variables) + "/config.json";
  if (there(config)) try {
      const std::string context = text_at(parse_json(read_file(config, 4 << 20), "the file"), "currentContext");
      if (!context.empty()) return named(context);
    } catch (const Error& error) {
      throw error.within(printable(config));
    }
  return named("default");
}

}  // namespace imgbuild
