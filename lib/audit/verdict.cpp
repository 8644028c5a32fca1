#include "audit/verdict.hpp"

#include <algorithm>
#include <set>

#include "audit/places.hpp"
#include "crypto/digest.hpp"
#include "scan/allow.hpp"
#include "scan/published.hpp"

namespace imgbuild {
namespace {

using Kind = Location::Kind;

/// Which of two hits says more about one secret: a parsed key, the severer, a particular rule before a generic one.
bool says_more(const Hit& a, const Hit& b) {
  const auto weight = [](const Hit& hit) {
    return std::tuple(hit.key.has_value(), hit.severity, hit.rule->family != "generic", &vault_rule() != hit.rule);
  };
  return weight(a) != weight(b) ? weight(a) > weight(b) : a.rule->id < b.rule->id;
}

/// What to change so that it is not there the next time, by where it is and what brought it in.
std::string general_fix(const Location& at) {
  const std::string& by = at.created_by;
  const auto says = [&](const char* word) { return by.find(word) != std::string::npos; };
  if (at.kind == Kind::env || at.kind == Kind::label)
    return "take it out of ENV and ARG; lend it to the build with --secret, or set it when the container starts";
  if (at.kind == Kind::history)
    return "take it out of the instruction: an ARG or a command line stays in the history; use --secret";
  if (at.layer < 0 && at.kind == Kind::file) return "take it out of the tree before an image is made of it";
  if (at.layer < 0) return "take it out of what writes the image's metadata";
  if (says("ARG ") || says("|"))
    return "pass it with --secret in place of an ARG, and write it under /dev/imgbuild only";
  if (says("COPY") || says("ADD ") || says("#(nop) ADD"))
    return "keep it out of the context with .dockerignore, and hand it to the build with --secret";
  if (says("RUN") || says("/bin/sh -c"))
    return "write it under /dev/imgbuild, which never ships; deleting it in a later step does not help";
  return "rebuild the layer that holds it (a base image's: the base) without it; deleting it in a later layer does not "
         "help";
}

/// The value behind each identity, while the vault of this run still has it.
std::map<Identity, std::string_view> values_of(const std::vector<Vault::Part>& parts) {
  std::map<Identity, std::string_view> values;
  for (const auto& part : parts) {
    auto& value = values[part.identity];
    if (part.value.size() > value.size()) value = part.value;  // the whole is longer than its parts
  }
  return values;
}

struct Group {
  const Hit* best = nullptr;
  std::vector<const Placed*> places;
};

std::vector<Group> grouped(const std::vector<Placed>& placed) {
  std::map<Identity, std::size_t> at;
  std::vector<Group> groups;
  for (const Placed& one : placed) {
    const auto [entry, is_new] = at.emplace(one.hit->identity, groups.size());
    if (is_new) groups.emplace_back();
    Group& group = groups[entry->second];
    if (group.best == nullptr || says_more(*one.hit, *group.best)) group.best = one.hit;
    const auto same = [&](const Placed* other) {
      const Location &a = other->location, &b = one.location;
      return a.kind == b.kind && a.layer == b.layer && a.path == b.path && a.line == b.line && a.inside == b.inside &&
             a.decoded == b.decoded;
    };
    if (std::none_of(group.places.begin(), group.places.end(), same)) group.places.push_back(&one);
  }
  return groups;
}

class Decision {
 public:
  Decision(const Outline& image, const AuditOptions& options) : image_(image), options_(options) {}

  ImageRecord record;

  void facts(const std::vector<const MemberRecord*>& beside) {
    record.id = image_.config.id;
    record.source = options_.source;
    record.platform = image_.config.platform();
    const auto created_by = image_.config.created_by();
    Coverage& seen = record.coverage;
    seen.layers = image_.layers.size();
    for (std::size_t i = 0; i < image_.layers.size(); ++i) {
      const MemberRecord& layer = *image_.layers[i];
      record.layers.push_back({static_cast<int>(i), layer.diff_id, created_by[i], layer.bytes});
      seen.entries += layer.index.size();
      seen.bytes += layer.bytes;
      take(layer, static_cast<int>(i));
    }
    if (image_.tree) {
      seen.entries += image_.tree->index.size();
      seen.bytes += image_.tree->bytes;
      take(*image_.tree, -1);
    }
    for (const MemberRecord* member : beside) {
      take(*member, -1);
      if (member->failure.empty()) continue;
      NotScanned gap;
      gap.path = member->name;
      gap.why = member->failure;
      gap.bytes = member->bytes;
      gap.sha256 = member->digest;
      add_gap(std::move(gap));
    }
    std::sort(seen.not_scanned.begin(), seen.not_scanned.end(), [](const NotScanned& a, const NotScanned& b) {
      return std::tie(a.layer, a.path, a.why, a.sha256) < std::tie(b.layer, b.path, b.why, b.sha256);
    });
    std::sort(keys_.begin(), keys_.end());
  }

  void findings(const std::vector<Group>& groups, Pool& pool) {
    const auto parts = options_.found->parts();
    const auto values = values_of(parts);
    const auto value_of = [&](const Hit& hit) {
      const auto at = values.find(hit.identity);
      return at == values.end() ? std::string_view() : at->second;
    };
    // The slow hash that an allow-entry binds, side by side, of as many as anybody would paste.
    constexpr std::size_t most_entries = 200;
    std::vector<std::string> bound(groups.size());
    for (std::size_t i = 0; i < std::min(groups.size(), most_entries); ++i)
      pool.submit(0, [&bound, &value_of, hit = groups[i].best, i] {
        const std::string_view value = value_of(*hit);
        if (!value.empty() || (hit->key && !hit->key->fingerprint.empty())) bound[i] = allow_identity(hit->key, value);
      });
    pool.drain();
    for (std::size_t i = 0; i < groups.size(); ++i) add(groups[i], bound[i], value_of(*groups[i].best), i + 1);
  }

 private:
  void take(const MemberRecord& member, int layer) {
    record.coverage.archives += member.record.archives();
    for (NotScanned gap : member.record.gaps) {
      gap.layer = layer;
      add_gap(std::move(gap));
    }
    for (const PublicKey& key : member.record.keys) keys_.emplace_back(key.fingerprint, key.place);
  }

  void add_gap(NotScanned gap) {
    if (const AllowEntry* entry = find_allow_file(options_.policy, gap.path, gap.sha256)) gap.allowed = entry->reason;
    record.coverage.not_scanned.push_back(std::move(gap));
  }

  void add(const Group& group, const std::string& bound, std::string_view value, std::size_t number) {
    const Hit& hit = *group.best;
    Finding finding;
    finding.rule = hit.rule->id;
    finding.says = hit.rule->says;
    if (!hit.value_name.empty()) finding.says += " (" + hit.value_name + ")";
    finding.severity = hit.severity;
    finding.secret = "S" + std::to_string(number);
    finding.identity = hit.identity;
    finding.rotate = hit.rule->rotate;
    finding.key = hit.key;
    if (finding.key && !finding.key->fingerprint.empty()) {
      const std::string& fingerprint = finding.key->fingerprint;
      for (const auto& key : options_.agent_keys)
        if (key == fingerprint) finding.key->matches.push_back("agent: " + key);
      for (const auto& [key, place] : keys_)
        if (key == fingerprint) finding.key->matches.push_back("image: " + place);
    }
    // What everybody has opens nothing; the key itself is the proof, wherever it lies.
    if (finding.key) finding.why = published_key(finding.key->fingerprint);
    if (!finding.why.empty()) {
      finding.why = "public test key: " + finding.why;
      for (const Placed* placed : group.places) finding.locations.push_back(placed->location);
      record.published.push_back(std::move(finding));
      return;
    }
    // Each place is answered for by itself: an entry does not excuse the same secret elsewhere.
    Finding allowed = finding;
    for (const Placed* placed : group.places) {
      const AllowEntry* entry = find_allow(options_.policy, hit.rule->id, placed->location, hit.key, value);
      if (entry != nullptr && allowed.why.empty()) allowed.why = entry->reason;
      (entry != nullptr ? allowed : finding).locations.push_back(placed->location);
    }
    if (!allowed.locations.empty()) record.allowed.push_back(std::move(allowed));
    if (finding.locations.empty()) return;
    finding.fix = hit.rule->fix.empty() ? general_fix(finding.locations.front()) : hit.rule->fix;
    if (!bound.empty()) {
      std::set<std::string> places;
      for (const Location& at : finding.locations)
        if (places.size() < 16 && places.insert(allow_place_of(at)).second)
          finding.allow += allow_entry_text(hit.rule->id, allow_place_of(at), bound);
    }
    (hit.severity < options_.policy.fail_on ? record.notes : record.leaks).push_back(std::move(finding));
  }

  const Outline& image_;
  const AuditOptions& options_;
  std::vector<std::pair<std::string, std::string>> keys_;  ///< fingerprint, place
};

}  // namespace

Audit AuditDesk::decide(const Outline& image, const Sightings& config_found,
                        const std::vector<const MemberRecord*>& beside, const AuditOptions& options, Pool& pool) {
  Decision decision(image, options);
  decision.facts(beside);
  const std::vector<Placed> placed = place_all(image, config_found, beside);
  decision.findings(grouped(placed), pool);
  return Audit(std::move(decision.record));
}

}  // namespace imgbuild
