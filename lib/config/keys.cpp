#include "config/keys.hpp"

namespace imgbuild {

// A context may say what is built, and ask; it may not say what is lent to it, where anything secret lies, which engine
// works for it, or how strictly it is looked at (but for a stricter fail_on, a smaller max_size). Hosts are granted
// build by build: a line in the user's file would lend them to every stranger's checkout.
static constexpr Key table[] = {
    {"from", "--from", Shape::text, true, true},
    {"platform", "--platform", Shape::text, true, true},
    {"run", "--run", Shape::text, true, true},
    {"command", "", Shape::words, true, true, false},
    {"dockerfile", "--file", Shape::text, true, true},
    {"target", "--target", Shape::text, true, true},
    {"build_args", "--build-arg", Shape::list, true, true},
    {"cache_from", "--cache-from", Shape::list, true, true},
    {"ref", "--ref", Shape::text, true, false},
    {"tags", "--tag", Shape::list, true, true},
    {"include", "--include", Shape::list, true, true},
    {"with_git", "--with-git", Shape::on_off, true, true},
    {"env", "--env", Shape::list, true, true},
    {"user", "--user", Shape::text, true, true},
    {"workdir", "--workdir", Shape::text, true, true},
    {"ignore_volumes", "--ignore-volume", Shape::list, true, true},
    {"image_cmd", "--cmd", Shape::words, true, true},
    {"image_entrypoint", "--entrypoint", Shape::words, true, true},
    {"image_labels", "--label", Shape::list, true, true},
    {"image_expose", "--expose", Shape::list, true, true},
    {"image_env", "--image-env", Shape::list, true, true},
    {"image_user", "--image-user", Shape::text, true, true},
    {"image_workdir", "--image-workdir", Shape::text, true, true},
    {"config_files", "--config-file", Shape::list, true, false},
    {"ask_ssh", "--ssh", Shape::list, true, false, false},
    {"ask_secrets", "--secret", Shape::list, true, false, false},
    {"artifacts", "--artifact", Shape::list, true, true},
    {"onto", "--onto", Shape::text, true, true},
    {"squash", "--squash", Shape::on_off, true, true},
    {"max_size", "--max-size", Shape::text, true, true},
    {"fail_on", "--fail-on", Shape::text, true, true, true, "medium"},
    {"build", "--build", Shape::text, false, false},
    {"ssh", "--ssh", Shape::list, false, false},
    {"ssh_allow_unbound", "--ssh-allow-unbound", Shape::on_off, false, false},
    {"ssh_allow_sshsig", "--ssh-allow-sshsig", Shape::on_off, false, false},
    {"weak_secrets", "--weak-secret", Shape::list, false, false},
    {"ssh_keys", "--ssh-key", Shape::list, false, true},
    {"ssh_key_files", "--ssh-key-file", Shape::paths, false, true},
    {"known_hosts", "--known-host", Shape::list, false, true},
    {"engine", "--engine", Shape::text, false, true},
    {"engine_helper", "--engine-helper", Shape::on_off, false, true},
    {"network", "--network", Shape::text, false, true},
    {"git_tokens", "--git-token", Shape::list, false, false},
    {"proxy", "--proxy", Shape::on_off, false, true},
    {"ca_certs", "--ca-cert", Shape::paths, false, true},
    {"caches", "--cache", Shape::list, false, true},
    {"add_hosts", "--add-host", Shape::list, false, true},
    {"memory", "--memory", Shape::text, false, true},
    {"cpus", "--cpus", Shape::text, false, true},
    {"pull", "--pull", Shape::on_off, false, true},
    {"timeout", "--timeout", Shape::text, false, true},
    {"rules", "--rules", Shape::paths, false, true},
    {"threads", "--threads", Shape::text, false, true},
    {"no_repo_allow", "--no-repo-allow", Shape::on_off, false, true},
    {"no_cache", "--no-cache", Shape::on_off, false, true},
    {"outputs", "--output", Shape::list, false, true},
    {"push", "--push", Shape::on_off, false, true},
    {"cache_to", "--cache-to", Shape::list, false, true},
    {"keep", "--keep", Shape::on_off, false, true},
    {"purge", "--purge", Shape::on_off, false, true},
    {"progress", "--progress", Shape::text, false, true, true, "auto"},
    {"logs", "--log", Shape::list, false, true},
    {"log_keep", "--log-keep", Shape::text, false, true, true, "20"},
    {"log_size", "--log-size", Shape::text, false, true, true, "10MB"},
    {"iidfile", "--iidfile", Shape::text, false, true},
    {"reports", "--report", Shape::list, false, true},
    {"baseline", "--baseline", Shape::path, false, true},
};

std::span<const Key> keys() { return table; }

const Key* find_key(std::string_view name) {
  for (const Key& key : table)
    if (key.name == name) return &key;
  return nullptr;
}

std::string variable_of(const Key& key) {
  std::string name = "IMGBUILD_";
  for (const char c : key.name) name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return name;
}

}  // namespace imgbuild
