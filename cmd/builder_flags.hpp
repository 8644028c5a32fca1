#pragma once
#include <string>
#include <vector>

#include "build/build.hpp"
#include "session.hpp"

namespace imgbuild {

/// The flags of `build` that say what the builder has around it: what CI runners need.
struct BuilderFlags {
  std::vector<std::string> git_tokens, add_hosts, caches, ca_certs, config_files;
  std::string memory, cpus;
  bool proxy = false;

  void offer(CLI::App& app);
  /// Into the plan, whose secrets have been read. Throws usage Error.
  void settle(Plan& plan, const Settings& settings, Vault& vault) const;
};

/// One character or more: letters, digits, and those of `more`.
bool is_word(std::string_view text, std::string_view more);

/// What docker's own config.json says of proxies for that engine joins the plan, as `docker build` would have it, where
/// the plan has none. Throws usage Error where the file is damaged.
void add_docker_proxies(Plan& plan, const std::string& endpoint, Vault& vault);

}  // namespace imgbuild
