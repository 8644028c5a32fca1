#include "report/answers.hpp"

#include <algorithm>

#include "scan/allow.hpp"

namespace imgbuild {
namespace {

using State = AllowRemark::State;

bool names_one_of(const AllowEntry& entry, const Finding& finding, const Vault& vault) {
  return std::any_of(finding.locations.begin(), finding.locations.end(), [&](const Location& place) {
    return names(entry, finding.rule, place, finding.key, vault.value_of(finding.identity));
  });
}

std::string words_for(const AllowEntry& entry) {
  return entry.rule.empty() ? entry.path : entry.rule + " at " + entry.at;
}

}  // namespace

std::vector<AllowRemark> remarks_on(const Policy& policy, std::vector<ImageRecord>& images, const Vault& vault) {
  std::vector<AllowRemark> remarks;
  for (const auto& entry : policy.allow) {
    const bool expired = has_expired(entry, policy.now);
    bool named = false;
    for (auto& image : images) {
      for (const auto& gap : image.coverage.not_scanned) named = named || names_file(entry, gap.path, gap.sha256);
      if (named && !expired) break;
      for (auto& finding : expired ? image.leaks : image.allowed) {
        if (!names_one_of(entry, finding, vault)) continue;
        named = true;
        if (!expired) break;
        finding.why = "the allow-entry for it expired on " + entry.expires;
      }
    }
    if (named && !expired) continue;
    remarks.push_back(
        {named ? State::expired : State::unused, words_for(entry), entry.from, named ? entry.expires : ""});
  }
  return remarks;
}

}  // namespace imgbuild
