#pragma once
#include <functional>
#include <string>

#include "http/client.hpp"

namespace imgbuild {

/// Where the engine listens, and how that was found.
struct EngineAddress {
  HttpEndpoint http;
  std::string text;  ///< "unix:///var/run/docker.sock"
  std::string from;  ///< "--engine", "DOCKER_HOST", "docker context \"work\"", "the default"
};

/// The value of an environment variable; empty where it is not set.
using Variables = std::function<std::string(const char* name)>;
/// Our own environment.
Variables process_variables();

/// Where Docker's client keeps its settings: $DOCKER_CONFIG, else ~/.docker.
std::string docker_config_folder(const Variables& variables);

/// In Docker's order: `given`, $DOCKER_HOST, $DOCKER_CONTEXT, the current context of config.json, docker's socket.
/// `given` is an address, a path, or the name of a docker context. Throws Error with a hint.
EngineAddress choose_engine(const std::string& given, const Variables& variables);

}  // namespace imgbuild
