#pragma once
#include <string>

#include "http/client.hpp"
#include "image/login.hpp"

namespace imgbuild {

/// Where the engine listens, and how that was found.
struct EngineAddress {
  HttpEndpoint http;
  std::string text;  ///< "unix:///var/run/docker.sock"
  std::string from;  ///< "--engine", "DOCKER_HOST", "docker context \"work\"", "the default"
};

/// In Docker's order: `given`, $DOCKER_HOST, $DOCKER_CONTEXT, the current context of config.json, docker's socket.
/// `given` is an address, a path, or the name of a docker context. Throws Error with a hint.
EngineAddress choose_engine(const std::string& given, const Variables& variables);

}  // namespace imgbuild
