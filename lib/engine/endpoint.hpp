#pragma once
#include <memory>
#include <string>

#include "http/client.hpp"
#include "image/login.hpp"

namespace imgbuild {

/// What EngineAddress::from says where nothing chose.
constexpr const char* default_engine = "the default";

/// Where the engine listens, and how that was found.
struct EngineAddress {
  HttpEndpoint http;
  std::string text;                  ///< "unix:///var/run/docker.sock"
  std::string from;                  ///< "--engine", "DOCKER_HOST", "docker context \"work\"", "the default"
  std::shared_ptr<const void> road;  ///< what must live as long as the engine is talked to; null: nothing
};

/// In Docker's order: `given`, $DOCKER_HOST, $DOCKER_CONTEXT, the current context of config.json, docker's socket.
/// `given` is an address, a path, or the name of a docker context. Throws Error with a hint.
EngineAddress choose_engine(const std::string& given, const Variables& variables);

}  // namespace imgbuild
