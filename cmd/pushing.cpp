#include "pushing.hpp"

#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "push/push.hpp"
#include "session.hpp"

namespace imgbuild {

std::vector<Reference> push_targets(const std::vector<std::string>& names) {
  std::vector<Reference> targets;
  for (const auto& name : names) {
    targets.push_back(parse_reference(name));
    RegistryPush(targets.back(), process_variables()).has_blob(sha256_digest({}));
  }
  return targets;
}

std::string push_cleared(const Cleared& cleared, Engine& engine, const Reference& to) {
  const Pushed pushed =
      push_image(cleared, engine, to, process_variables(), [](const std::string& line) { say(line); });
  const std::string tag = to.tag.empty() ? "latest" : to.tag;
  say("pushed " + printable(to.repository) + ":" + tag + ", sent " + std::to_string(pushed.sent) + " of " +
      std::to_string(pushed.layers) + (pushed.layers == 1 ? " layer" : " layers") +
      (pushed.sent == 0 ? "" : " (" + human_size(pushed.sent_bytes) + ")"));
  return printable(to.repository) + "@" + pushed.digest;
}

}  // namespace imgbuild
