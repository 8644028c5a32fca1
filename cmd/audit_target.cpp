#include "audit_target.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <optional>

#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "build/engine_image.hpp"
#include "image/reference.hpp"
#include "image/registry.hpp"
#include "session.hpp"

namespace imgbuild {
namespace {

using Kind = AuditTarget::Kind;

// Standard input as a source. What feeds it may be slow: an interrupt does not wait for it.
class InputSource : public Source {
 public:
  View next() override {
    for (;;) {
      pollfd waits[] = {{STDIN_FILENO, POLLIN, 0}, {interrupt::fd(), POLLIN, 0}};
      if (::poll(waits, 2, -1) < 0 && errno != EINTR) throw system_error("standard input", errno);
      interrupt::check();
      if (waits[0].revents == 0) continue;
      const ssize_t n = ::read(STDIN_FILENO, buffer_.data(), buffer_.size());
      if (n >= 0) return {buffer_.data(), static_cast<std::size_t>(n)};
      if (errno != EINTR && errno != EAGAIN) throw system_error("standard input", errno);
    }
  }

 private:
  Bytes buffer_ = Bytes(std::size_t{1} << 20);
};

bool there(const std::string& path) {
  std::error_code none;
  return std::filesystem::exists(std::filesystem::symlink_status(path, none));
}

void warn(const std::string& line) { say("warning: " + line); }

// "DIR", "DIR:REF", "DIR@sha256:...": a path may hold either character, so what is there decides.
AuditTarget oci_target(const std::string& said, const std::string& rest) {
  if (there(rest)) return {Kind::oci, said, rest, {}};
  if (const std::size_t at = rest.rfind("@sha256:"); at != std::string::npos) {
    const std::string digest = rest.substr(at + 1);
    std::string path = rest.substr(0, at);
    if (!is_sha256_digest(digest))
      throw usage_error("audit: " + printable(said) + ": what follows '@' is no sha256 digest");
    // DIR:REF@DIGEST: the digest says it all.
    if (const std::size_t colon = path.rfind(':'); !there(path) && colon != std::string::npos) path.resize(colon);
    return {Kind::oci, said, path, digest};
  }
  // A reference may hold colons and slashes ("docker.io/library/app:1"): the longest path that is there counts.
  for (std::size_t colon = rest.rfind(':'); colon != std::string::npos && colon > 0; colon = rest.rfind(':', colon - 1))
    if (there(rest.substr(0, colon))) {
      if (colon + 1 == rest.size())
        throw usage_error("audit: " + printable(said) + ": it ends in ':' and names no image");
      return {Kind::oci, said, rest.substr(0, colon), rest.substr(colon + 1)};
    }
  return {Kind::oci, said, rest, {}};
}

AuditTarget registry_target(const std::string& said, const std::string& rest) {
  // "user:word@host/name" is not shown again.
  const std::size_t at = rest.find('@');
  if (at != std::string::npos && !rest.substr(at + 1).starts_with("sha256:"))
    throw usage_error("audit: registry: what follows '@' is no sha256 digest",
                      "a user and a password are not part of the name: `docker login` keeps them");
  if (rest.find("://") != std::string::npos)
    throw usage_error("audit: " + printable(said) + ": a name, not a URL", "registry:HOST[:PORT]/NAME[:TAG]");
  parse_reference(rest);
  return {Kind::registry, said, rest, {}};
}

AuditTarget target_of(const std::string& said) {
  const auto behind = [&](std::string_view scheme) -> std::optional<std::string> {
    if (said.rfind(scheme, 0) != 0) return std::nullopt;
    const std::string rest = said.substr(scheme.size());
    if (rest.empty()) throw usage_error("audit: " + printable(said) + ": names nothing");
    return rest;
  };
  if (said.empty()) throw usage_error("audit: an empty target");
  if (said == "-") return {Kind::input, said, said, {}};
  if (const auto name = behind("docker:")) return {Kind::docker, said, *name, {}};
  if (const auto name = behind("podman:")) return {Kind::podman, said, *name, {}};
  if (const auto file = behind("archive:")) return {Kind::archive, said, *file, {}};
  if (const auto folder = behind("dir:")) return {Kind::tree, said, *folder, {}};
  if (const auto rest = behind("oci:")) return oci_target(said, *rest);
  if (const auto rest = behind("registry:")) return registry_target(said, *rest);
  if (said[0] == '/' || said.rfind("./", 0) == 0 || said.rfind("../", 0) == 0) return {Kind::archive, said, said, {}};
  if (there(said)) {
    std::error_code none;
    const char* scheme = std::filesystem::is_directory(said, none) ? "dir:" : "archive:";
    throw usage_error("audit: " + printable(said) + " could be an image's name or a file",
                      "say docker:" + printable(said) + " or " + scheme + printable(said));
  }
  return {Kind::docker, said, said, {}};
}

}  // namespace

std::vector<AuditTarget> audit_targets(const std::vector<std::string>& said) {
  std::vector<AuditTarget> targets;
  for (const auto& one : said) targets.push_back(target_of(one));
  if (std::count_if(targets.begin(), targets.end(), [](const auto& one) { return one.kind == Kind::input; }) > 1)
    throw usage_error("audit: standard input can be read once only");
  return targets;
}

void check_platform(const std::string& platform, const std::string& from) {
  if (platform.empty()) return;
  const auto parts = split(platform, '/');
  if (parts.size() < 2 || parts.size() > 3 || std::find(parts.begin(), parts.end(), "") != parts.end())
    throw usage_error(from + ": must be OS/ARCH or OS/ARCH/VARIANT, not `" + printable(platform) + "`",
                      "for instance linux/arm64");
}

std::uint64_t size_of(const AuditTarget& target) {
  if (target.kind != Kind::archive) return 0;
  std::error_code none;
  if (!std::filesystem::is_regular_file(target.name, none)) return 0;
  char magic[5] = "";
  std::ifstream file(target.name, std::ios::binary);
  if (!file.seekg(257) || !file.read(magic, sizeof magic) || std::string_view(magic, sizeof magic) != "ustar") return 0;
  return std::filesystem::file_size(target.name, none);
}

TargetReader::TargetReader(const AuditOptions& options, TargetChoice choice)
    : auditor_(options), choice_(std::move(choice)) {}

AuditedTarget TargetReader::audit(const AuditTarget& target) {
  switch (target.kind) {
    case Kind::archive:
      return {auditor_.archive_file(target.name, target.said, choice_.platform), {}};
    case Kind::input: {
      if (::isatty(STDIN_FILENO) == 1)
        throw usage_error("audit: standard input is a terminal", "docker save NAME | imgbuild audit -");
      InputSource input;
      return {auditor_.archive(input, target.said, choice_.platform), {}};
    }
    case Kind::oci:
      return {auditor_.oci(target.name, target.said, {target.reference, choice_.platform, choice_.all_platforms}), {}};
    case Kind::tree: {
      AuditedTarget one;
      one.audits.push_back(auditor_.tree(target.name, target.said));
      return one;
    }
    case Kind::registry:
      return {of_registry(target), {}};
    case Kind::docker:
    case Kind::podman:
      break;
  }
  return of_engine(target);
}

Engine& TargetReader::engine(Kind kind) {
  auto& engine = engines_[kind];
  if (!engine) {
    engine = kind == Kind::podman ? connect_podman() : connect_engine(choice_.engine);
    if (choice_.engine_helper) helpers_[kind] = std::make_unique<EngineHelper>(*engine, warn);
  }
  return *engine;
}

AuditedTarget TargetReader::of_engine(const AuditTarget& target) {
  Engine& from = engine(target.kind);
  const EngineImage image = from.find_image(target.name, choice_.platform, Pull::never);
  constexpr std::size_t all = SIZE_MAX;
  return {audit_engine_image(auditor_, from, image.handle, target.said, choice_.platform, all), image.handle};
}

std::vector<Audit> TargetReader::of_registry(const AuditTarget& target) {
  RegistryStore store(parse_reference(target.name), process_variables());
  return auditor_.images(store, target.said, {{}, choice_.platform, choice_.all_platforms});
}

}  // namespace imgbuild
