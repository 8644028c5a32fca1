#pragma once
// A work tree made for one test, by the real git where it has a history.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/process.hpp"
#include "base/temp_dir.hpp"
#include "base/text.hpp"
#include "context/stage.hpp"
#include "crypto/digest.hpp"

namespace imgbuild {

inline Ran command(const std::vector<std::string>& argv, const std::string& directory, std::string_view in = {}) {
  Command command;
  command.argv = argv;
  command.directory = directory;
  command.env = {"GIT_CONFIG_GLOBAL=/dev/null",
                 "GIT_CONFIG_NOSYSTEM=1",
                 "GIT_AUTHOR_NAME=a",
                 "GIT_AUTHOR_EMAIL=a@example.com",
                 "GIT_COMMITTER_NAME=c",
                 "GIT_COMMITTER_EMAIL=c@example.com",
                 "GIT_AUTHOR_DATE=1600000000 +0000",
                 "GIT_COMMITTER_DATE=1600000000 +0000"};
  Ran ran = run(std::move(command), in);
  if (ran.status != 0 && argv[0] == "git") throw Error(join(argv, " ") + ": " + ran.err);
  return ran;
}

class TreeHere {
 public:
  explicit TreeHere(bool with_git = false) {
    std::filesystem::create_directory(path());
    if (with_git) git({"init", "-q", "-b", "main"});
  }
  std::string path(const std::string& name = {}) const {
    return dir_.path() + "/tree" + (name.empty() ? "" : "/" + name);
  }
  void file(const std::string& name, std::string_view content = "x\n", unsigned mode = 0644) const {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    write_file(path(name), content, mode);
  }
  std::string git(std::vector<std::string> arguments, const std::string& below = {}) const {
    arguments.insert(arguments.begin(), {"git", "-c", "protocol.file.allow=always"});
    return std::string(trim(command(arguments, path(below)).out));
  }
  void commit(const std::string& below = {}) const {
    git({"add", "-A"}, below);
    git({"commit", "-q", "-m", "step"}, below);
  }

 private:
  TempDir dir_;
};

// A stage's outcome and the tar's members.
struct Staged {
  Context context;
  Vault vault;
  std::vector<std::string> names;  // as `tar -t` of Python would: one a member, raw bytes
  std::string tar;

  std::string content(const std::string& name) const { return command({"tar", "-xOf", "-", name}, "/", tar).out; }
  bool has(const std::string& name) const { return std::find(names.begin(), names.end(), name) != names.end(); }
};

inline std::unique_ptr<Staged> staged(const std::string& root, const std::function<void(StageOptions&)>& with = {}) {
  static const auto scanner = Scanner::builtin();
  auto result = std::make_unique<Staged>();
  StageOptions options;
  options.root = root;
  options.scanner = scanner;
  options.vault = &result->vault;
  if (with) with(options);
  result->context = stage(options);
  if (!result->context.tar) return result;
  result->tar.resize(result->context.bytes + 1);
  result->tar.resize(read_full(result->context.tar.get(),
                               {reinterpret_cast<std::uint8_t*>(result->tar.data()), result->tar.size()}, "tar"));
  const Ran listed = command({"tar", "--null", "--quoting-style=literal", "-tf", "-"}, "/", result->tar);
  for (const auto& name : split(listed.out, '\n'))
    if (!name.empty()) result->names.push_back(name);
  return result;
}

// Random letters and digits: what a token is made of.
inline std::string random_text(std::size_t size) {
  static constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  Bytes bytes(size);
  random_bytes(bytes);
  std::string text;
  for (const auto byte : bytes) text += letters[byte % letters.size()];
  return text;
}

inline std::string fresh_key() {
  const TempDir dir;
  command({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", dir.path() + "/k"}, dir.path());
  return read_file(dir.path() + "/k");
}

}  // namespace imgbuild
