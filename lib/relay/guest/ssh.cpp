#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "relay/guest/guest.hpp"

namespace imgbuild::guest {
namespace {

// Our folder: this program lies in it.
std::string home() {
  char path[PATH_MAX];
  const ssize_t n = ::readlink("/proc/self/exe", path, sizeof path);
  const std::string_view self(path, n > 0 ? static_cast<std::size_t>(n) : 0);
  const std::size_t slash = self.rfind('/');
  return std::string(self.substr(0, slash == std::string_view::npos ? 0 : slash));
}

void say(const char* text) { [[maybe_unused]] const ssize_t n = ::write(STDERR_FILENO, text, ::strlen(text)); }

}  // namespace

int ssh(char** argv) {
  const std::string ours = home();
  const char* set = ::getenv("PATH");
  std::string_view path = set != nullptr ? set : "/usr/bin:/bin";
  std::string real;
  while (!path.empty() && real.empty()) {
    const std::size_t colon = path.find(':');
    const std::string folder(path.substr(0, colon));
    path.remove_prefix(colon == std::string_view::npos ? path.size() : colon + 1);
    if (folder.empty() || folder == ours + "/bin") continue;
    const std::string candidate = folder + "/ssh";
    if (::access(candidate.c_str(), X_OK) == 0) real = candidate;
  }
  if (real.empty()) {
    say("imgbuild: the base has no ssh\nimgbuild: hint: install openssh-client in the base\n");
    return 127;
  }
  // The first value of an option counts, so that what stands on the caller's command line changes none of these.
  std::vector<std::string> words{real,
                                 "-o",
                                 "UserKnownHostsFile=" + ours + "/known_hosts",
                                 "-o",
                                 "GlobalKnownHostsFile=/dev/null",
                                 "-o",
                                 "StrictHostKeyChecking=yes"};
  struct stat facts {};
  if (::stat((ours + "/fingerprints").c_str(), &facts) == 0 && facts.st_size > 0) {
    words.push_back("-o");
    words.push_back("KnownHostsCommand=" + ours + "/relay known-host %H %t %K %f");
  }
  std::vector<char*> out;
  for (std::string& word : words) out.push_back(word.data());
  for (char** word = argv + 1; *word != nullptr; ++word) out.push_back(*word);
  out.push_back(nullptr);
  ::execv(real.c_str(), out.data());
  say("imgbuild: the base's ssh cannot be run\n");
  return 126;
}

// Arguments: host as known_hosts spells it, key type, key, fingerprint. The first call asks before a key is known
// (NONE).
int known_host(int argc, char** argv) {
  std::string granted;
  if (argc != 6 || !slurp(home() + "/fingerprints", granted)) return 0;
  const std::string wanted = std::string(argv[2]) + " " + argv[5] + "\n";
  if (("\n" + granted).find("\n" + wanted) == std::string::npos) return 0;
  const std::string line = std::string(argv[2]) + " " + argv[3] + " " + argv[4] + "\n";
  return ::write(STDOUT_FILENO, line.data(), line.size()) < 0 ? 1 : 0;
}

}  // namespace imgbuild::guest
