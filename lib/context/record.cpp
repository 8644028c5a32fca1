#include "context/record.hpp"

#include <algorithm>
#include <set>

#include "scan/allow.hpp"

namespace imgbuild {
namespace {

using Fate = Remark::Fate;

// An allow-entry's identity costs 40 ms to make; who has more secrets than this in a tree has other worries first.
constexpr int most_hashed = 50;

Withheld::Action action_of(Fate fate) {
  if (fate == Fate::line) return Withheld::Action::line;
  return fate == Fate::file ? Withheld::Action::file : Withheld::Action::refuse;
}

}  // namespace

std::string Record::allow_text(const Remark& remark) {
  auto found = allow_identities_.find(remark.identity.text);
  if (found == allow_identities_.end()) {
    if (hashed_ == most_hashed) return {};
    ++hashed_;
    found = allow_identities_.emplace(remark.identity.text, allow_identity(remark.key, remark.value.reveal())).first;
  }
  return allow_entry_text(remark.rule->id, allow_place_of(remark.place), found->second);
}

void Record::tell(const Remark& remark) {
  const bool allowed = remark.fate == Fate::allowed;
  const auto [known, fresh] =
      seen_.try_emplace({(allowed ? "a:" : "n:") + remark.rule->id, remark.identity}, told_.size());
  if (fresh) {
    Finding finding;
    finding.rule = remark.rule->id;
    finding.says = remark.rule->says;
    finding.severity = remark.severity;
    finding.secret = labels_.try_emplace(remark.identity, "S" + std::to_string(labels_.size() + 1)).first->second;
    finding.identity = remark.identity;
    finding.key = remark.key;
    finding.fix = remark.rule->fix;
    finding.rotate = remark.rule->rotate;
    finding.why = remark.why;
    told_.emplace_back(std::move(finding), allowed);
  }
  told_[known->second].first.locations.push_back(remark.place);
}

std::optional<Fate> Record::add(const std::vector<Remark>& remarks, const std::string& path) {
  const auto fate = strictest(remarks);
  std::set<std::pair<std::string, std::uint32_t>> told;
  for (const auto& remark : remarks) {
    if (remark.fate < Fate::line) {
      tell(remark);
      continue;
    }
    // What the strictest verdict swallows needs no word of its own.
    if (remark.fate != *fate || !told.emplace(remark.rule->id, remark.place.line).second) continue;
    Withheld withheld;
    withheld.action = action_of(*fate);
    withheld.path = path;
    if (remark.place.kind == Location::Kind::git)
      for (const auto& part : remark.place.inside) withheld.path += "!" + part;
    withheld.line = remark.place.line;
    withheld.rule = remark.rule->id;
    withheld.says = remark.rule->says;
    if (*fate == Fate::refuse) withheld.allow = allow_text(remark);
    withheld_.push_back(std::move(withheld));
  }
  refused_ = refused_ || fate == Fate::refuse;
  return fate;
}

void Record::give(Context& context) {
  context.withheld = std::move(withheld_);
  for (auto& [finding, allowed] : told_) (allowed ? context.allowed : context.notes).push_back(std::move(finding));
}

}  // namespace imgbuild
