#include "lean_flags.hpp"

#include "base/text.hpp"
#include "build/artifacts.hpp"
#include "verdict/weight.hpp"

namespace imgbuild {

void LeanFlags::offer(CLI::App& app) {
  add_several(app, "--artifact", artifacts, "PATH[:DEST]",
              "ship only this of the builder, a file, folder or glob, onto the image of --onto");
  add_value(app, "--onto", onto, "IMAGE", "what the artefacts are put onto");
  app.add_flag("--squash", squash, "one layer of all that the build added (a script's build has no more)");
  add_value(app, "--max-size", max_size, "SIZE", "refuse an image whose layers weigh more: 300MB, 1.5GiB");
}

void LeanFlags::settle(Plan& plan) const {
  plan.squash = squash;
  plan.max_size = max_size_flag(max_size);
  if (artifacts.empty() && onto.empty()) return;
  if (plan.dockerfile)
    throw usage_error("build: --artifact is for a build by script, not for a Dockerfile",
                      "a second FROM with COPY --from=STAGE does it");
  if (onto.empty()) throw usage_error("build: --artifact without --onto", "--onto IMAGE says what it is put onto");
  if (artifacts.empty())
    throw usage_error("build: --onto without --artifact", "--artifact PATH:DEST says what is put onto it");
  plan.onto = onto;
  for (const std::string& said : artifacts) plan.artifacts.push_back(parse_artifact(said));
}

std::uint64_t max_size_flag(const std::string& said) {
  if (said.empty()) return 0;
  const auto bytes = size_of_text(said);
  if (!bytes || *bytes == 0)
    throw usage_error("--max-size: " + printable(said) + ": must be like 300MB, 1.5GB or 40MiB");
  return *bytes;
}

void tell_too_large(const std::vector<std::string>& why, const Session& session) {
  for (std::size_t i = 0; i < why.size(); ++i)
    say((i == 0 ? "too large: " : "  ") + printable(session.redacted(why[i])));
}

}  // namespace imgbuild
