// From the road that a secret took to the words to type. An instruction is read as engines write it into the history:
// classic ones as "/bin/sh -c #(nop) COPY file:HASH in /root/", BuildKit's as "COPY key /root/ # buildkit", a RUN with
// build arguments as "|1 TOKEN=... /bin/sh -c ...".
#include "report/mending.hpp"

#include <algorithm>
#include <set>

#include "base/text.hpp"

namespace imgbuild {
namespace {

using Kind = Location::Kind;

constexpr std::size_t most_roads = 3;  // of one secret; a fourth tells nobody anything new

enum class Verb { copy, run, env, arg, label, command, none };

Verb verb_of(std::string_view by) {
  by = trim(by);
  for (const std::string_view shell : {"/bin/sh -c #(nop)", "/bin/sh -c"})
    if (by.substr(0, shell.size()) == shell) {
      by = trim(by.substr(shell.size()));
      if (shell.back() != ')') return Verb::run;
      break;
    }
  const std::string_view word = by.substr(0, by.find_first_of(" \t"));
  if (word == "COPY" || word == "ADD") return Verb::copy;
  if (word == "RUN") return Verb::run;
  if (word == "ENV") return Verb::env;
  if (word == "ARG" || (!word.empty() && word[0] == '|')) return Verb::arg;
  if (word == "LABEL") return Verb::label;
  if (word == "CMD" || word == "ENTRYPOINT" || word == "HEALTHCHECK" || word == "ONBUILD") return Verb::command;
  return Verb::none;
}

std::string last_part(const std::string& path) {
  const std::size_t end = path.find_last_not_of('/');
  if (end == std::string::npos) return {};
  const std::string whole = path.substr(0, end + 1);
  return whole.substr(whole.rfind('/') + 1);
}

// What a secret is called in --secret id=...: from the file's or the variable's name.
std::string id_from(const std::string& name) {
  std::string id;
  for (const char c : lower(name))
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.')
      id += c;
    else if (!id.empty() && id.back() != '-')
      id += '-';
  id = id.substr(0, 32);
  while (!id.empty() && (id.front() == '.' || id.front() == '-')) id.erase(0, 1);
  while (!id.empty() && (id.back() == '.' || id.back() == '-')) id.pop_back();
  return id.empty() ? "token" : id;
}

// A redacted name is nothing to type.
bool typeable(const std::string& name) {
  return !name.empty() && name.size() <= 128 && printable(name) == name && name.find("[redacted") == std::string::npos;
}

std::string ignore_line(const std::string& name) {
  std::string glob = "**/";
  for (const char c : name) {
    if (c == '*' || c == '?' || c == '[') glob += '\\';
    glob += c;
  }
  return glob;
}

std::string lend(const std::string& id, const std::string& source) {
  return "what needs it reads it while it builds: --secret id=" + id + "," + source + ", then $BUILD_SECRETS/" + id +
         " (in a Dockerfile: RUN --mount=type=secret,id=" + id + ")";
}

class Advice {
 public:
  void line(const std::string& text) {
    if (std::find(lines_.begin(), lines_.end(), text) == lines_.end()) lines_.push_back(text);
  }

  void road(const Location& at) {
    const Verb verb = verb_of(at.created_by);
    if (at.kind == Kind::env || verb == Verb::env || at.kind == Kind::label || verb == Verb::label) return variable(at);
    if (at.layer < 0) return metadata(at, verb);
    if (!at.inside.empty())
      line("it is inside " + printable(last_part(at.path)) + ": that is to be made again without it");
    if (verb == Verb::copy && at.inside.empty()) copied(at);
    if (verb == Verb::run || verb == Verb::arg) {
      const std::string name = at.inside.empty() ? last_part(at.path) : std::string();
      line(lend(typeable(name) ? id_from(name) : "token", "src=FILE"));
    }
    line("rebuild from the instruction of layer " + std::to_string(at.layer) +
         ": what a later instruction deletes stays in the layer below");
  }

  std::vector<std::string> take() { return std::move(lines_); }

 private:
  void variable(const Location& at) {
    const std::string name = at.path.substr(at.path.find('.') + 1);
    if (at.layer >= 0 || at.path.find('.') == std::string::npos || !typeable(name)) {
      line(lend("token", "env=NAME"));
    } else {
      line("take " + name + " out of the " + (at.kind == Kind::label ? "LABEL" : "ENV and ARG") + " instruction");
      if (at.kind == Kind::label) return;
      line(lend(id_from(name), "env=" + name));
      line("what runs needs it: docker run --env " + name + " IMAGE");
    }
  }

  void metadata(const Location& at, Verb verb) {
    if (verb == Verb::arg || at.kind == Kind::history)
      line(lend("token", "env=NAME") + "; every ARG and command line stays in the history");
    line("rebuild: the image's metadata is written anew each time");
  }

  void copied(const Location& at) {
    const std::string name = last_part(at.path);
    if (!typeable(name)) return;
    line("the line for .dockerignore: " + ignore_line(name));
    line(lend(id_from(name), "src=FILE"));
  }

  std::vector<std::string> lines_;
};

}  // namespace

std::vector<std::string> mending(const Finding& finding) {
  Advice advice;
  if (!finding.fix.empty()) advice.line(printable(finding.fix));
  std::set<std::tuple<int, std::string, std::string>> roads;
  for (const Location& at : finding.locations) {
    if (roads.size() == most_roads) break;
    if (roads.emplace(at.layer, at.created_by, last_part(at.path)).second) advice.road(at);
  }
  return advice.take();
}

}  // namespace imgbuild
