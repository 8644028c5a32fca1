#include "audit/verdict.hpp"

#include <algorithm>
#include <set>

#include "audit/places.hpp"
#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "scan/allow.hpp"
#include "scan/published.hpp"

namespace imgbuild {
namespace {

using Kind = Location::Kind;

/// Where machines and servers keep the key that tells them from others.
bool is_host_key_place(std::string_view path) {
  static constexpr std::string_view globs[] = {"**/ssh_host_*_key",
                                               "**/dropbear_*_host_key",
                                               "**/etc/ssl/private/**",
                                               "**/etc/pki/tls/private/**",
                                               "**/etc/nginx/**",
                                               "**/etc/apache2/**",
                                               "**/etc/httpd/**",
                                               "**/etc/letsencrypt/**",
                                               "**/etc/haproxy/**",
                                               "**/etc/postfix/**",
                                               "**/etc/dovecot/**",
                                               "**/etc/postgresql/**",
                                               "**/etc/mysql/**",
                                               "**/server.key",
                                               "**/tls.key",
                                               "**/privkey.pem"};
  return std::any_of(std::begin(globs), std::end(globs),
                     [&](std::string_view glob) { return glob_matches(glob, path); });
}

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

struct Group {
  const Hit* best = nullptr;
  std::vector<const Placed*> places;
  bool lent = false;  ///< a value of this run
};

std::vector<Group> grouped(const std::vector<Placed>& placed) {
  std::map<Identity, std::size_t> at;
  std::vector<Group> groups;
  for (const Placed& one : placed) {
    const auto [entry, is_new] = at.emplace(one.hit->identity, groups.size());
    if (is_new) groups.emplace_back();
    Group& group = groups[entry->second];
    group.lent = group.lent || one.hit->rule == &vault_rule();
    if (group.best == nullptr || says_more(*one.hit, *group.best)) group.best = one.hit;
    const auto same = [&](const Placed* other) {
      const Location &a = other->location, &b = one.location;
      return a.kind == b.kind && a.layer == b.layer && a.path == b.path && a.line == b.line && a.inside == b.inside &&
             a.decoded == b.decoded;
    };
    // Equal places follow each other; of a path that the layer has twice, the one that is left comes first.
    if (group.places.empty() || !same(group.places.back())) group.places.push_back(&one);
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
    record.base = options_.base;
    record.base_layers = options_.base_layers;
    std::vector<std::string> created_by = image_.config.created_by();
    created_by.resize(std::max(created_by.size(), image_.layers.size()));  // a damaged image may have more layers
    std::vector<const PathIndex*> indexes;
    for (const Member& layer : image_.layers) indexes.push_back(&layer->index);
    const std::vector<std::uint64_t> hidden = hidden_bytes(indexes);
    Coverage& seen = record.coverage;
    seen.layers = image_.layers.size();
    for (const std::string& platform : image_.left_out) seen.other_platforms.push_back(printable(platform));
    for (std::size_t i = 0; i < image_.layers.size(); ++i) {
      const MemberRecord& layer = *image_.layers[i];
      record.layers.push_back(
          {static_cast<int>(i), layer.diff_id, created_by[i], layer.bytes, hidden[i], layer.largest});
      seen.layers_cached += layer.cached ? 1 : 0;
      if (layer.cached && options_.values != nullptr && !options_.values->empty())
        seen.vault_not_looked_for.push_back(static_cast<int>(i));
      seen.entries += layer.index.size();
      seen.bytes += layer.bytes;
      packages_.push_back(&layer.record.packages);
      take(layer, static_cast<int>(i));
    }
    if (image_.tree) {
      seen.entries += image_.tree->index.size();
      seen.bytes += image_.tree->bytes;
      take(*image_.tree, -1);
    }
    for (const MemberRecord* member : beside) {
      take(*member, -1);
      const bool told = std::any_of(image_.damage.begin(), image_.damage.end(),
                                    [&](const NotScanned& damage) { return damage.path == member->name; });
      if (member->failure.empty() || told) continue;
      NotScanned gap;
      gap.path = member->name;
      gap.why = member->failure;
      gap.bytes = member->bytes;
      gap.sha256 = member->digest;
      add_gap(std::move(gap));
    }
    for (const NotScanned& damage : image_.damage) add_gap(damage);
    std::sort(seen.not_scanned.begin(), seen.not_scanned.end(), [](const NotScanned& a, const NotScanned& b) {
      return std::tie(a.layer, a.path, a.why, a.sha256) < std::tie(b.layer, b.path, b.why, b.sha256);
    });
    std::sort(keys_.begin(), keys_.end());
  }

  /// Keys for which no passphrase was left are told once, at the first of them.
  void untried(const std::vector<Placed>& placed) {
    const Placed* first = nullptr;
    std::set<std::pair<int, std::string>> places;
    for (const Placed& one : placed) {
      if (!one.hit->key || !one.hit->key->untried) continue;
      if (first == nullptr) first = &one;
      places.emplace(one.location.layer, allow_place_of(one.location));
    }
    if (first == nullptr) return;
    NotScanned gap;
    gap.layer = first->location.layer;
    gap.path = first->location.path;
    for (const std::string& part : first->location.inside) gap.path += "!" + part;
    gap.why = "encrypted keys in " + std::to_string(places.size()) + (places.size() == 1 ? " place" : " places") +
              ": the passphrases that everybody uses were not tried on them, for so many keys come before";
    gap.sha256 = first->location.sha256;
    add_gap(std::move(gap));
  }

  void findings(const std::vector<Group>& groups, Pool& pool) {
    // The slow hash that an allow-entry binds, side by side, of as many as anybody would paste.
    std::size_t entries_left = 200;
    std::vector<std::string> bound(groups.size());
    std::vector<std::vector<std::string>> why_public;
    for (const Group& group : groups) why_public.push_back(published(group));
    for (std::size_t i = 0; i < groups.size() && entries_left > 0; ++i) {
      if (!may_hinder(groups[i], why_public[i])) continue;
      --entries_left;
      pool.submit(0, [this, &bound, hit = groups[i].best, i] {
        const std::string_view value = value_of(*hit);
        if (!value.empty() || (hit->key && !hit->key->fingerprint.empty())) bound[i] = allow_identity(hit->key, value);
      });
    }
    pool.drain();
    for (std::size_t i = 0; i < groups.size(); ++i) add(groups[i], why_public[i], bound[i], i + 1);
  }

 private:
  void take(const MemberRecord& member, int layer) {
    record.coverage.archives += member.record.archives();
    record.coverage.git_objects += member.record.git_objects();
    for (NotScanned gap : member.record.gaps) {
      gap.layer = layer;
      add_gap(std::move(gap));
    }
    for (const PublicKey& key : member.record.keys) keys_.emplace_back(key.fingerprint, key.place);
  }

  /// The secret of a hit, while the vault of this run still has it.
  std::string_view value_of(const Hit& hit) const { return options_.found->value_of(hit.identity); }

  /// The packages whose records name the files: "dpkg: acme 1.0-1".
  std::string packaged(const std::vector<Location>& places) const {
    constexpr std::size_t most = 4;
    std::set<std::string> packages;
    for (const Location& at : places)
      if (at.layer >= 0 && packages.size() < most)
        if (std::string package = package_of(packages_, at.layer, at.path); !package.empty())
          packages.insert(std::move(package));
    return join({packages.begin(), packages.end()}, ", ");
  }

  /// Are all the files those of dpkg, apk or rpm? What looks like a password there is an example of a manual, as good
  /// as always; a key or a token with a form of its own is not.
  bool of_the_system(const std::vector<Location>& places) const {
    return std::all_of(places.begin(), places.end(), [this](const Location& at) {
      if (at.layer < 0) return false;
      const std::string package = package_of(packages_, at.layer, at.path);
      return is_of_the_system(package.substr(0, package.find(':')));
    });
  }

  /// May a place of it be a leak, that somebody has to answer for?
  bool may_hinder(const Group& group, const std::vector<std::string>& why_public) const {
    if (group.best->severity < options_.policy.fail_on) return false;
    std::vector<Location> rest;
    for (std::size_t i = 0; i < group.places.size(); ++i)
      if (why_public[i].empty()) rest.push_back(group.places[i]->location);
    const bool lowered = group.best->rule->family == "generic" && Severity::low < options_.policy.fail_on;
    return !rest.empty() && !(lowered && of_the_system(rest));
  }

  void add_gap(NotScanned gap) {
    if (gap.damaged) return record.coverage.not_scanned.push_back(std::move(gap));
    gap.published = published_file(gap.sha256);
    if (const AllowEntry* entry = find_allow_file(options_.policy, gap.path, gap.sha256)) gap.allowed = entry->reason;
    record.coverage.not_scanned.push_back(std::move(gap));
  }

  /// Why a place of a secret is public; empty: it is not known to be. A key is public wherever it lies, be it known by
  /// its fingerprint or by one place in a published file. Anything else is public in such a file only, for the next one
  /// may well use a password that some manual has, and in what Python makes of that file. What this run lent never is.
  static std::vector<std::string> published(const Group& group) {
    std::vector<std::string> why(group.places.size());
    if (group.lent) return why;
    std::map<std::string, std::string> files;  // published here: path, why
    for (std::size_t i = 0; i < why.size(); ++i) {
      why[i] = published_as(group.best->key, group.places[i]->location.sha256);
      if (!why[i].empty()) files.emplace(group.places[i]->location.path, why[i]);
    }
    if (files.empty()) return why;
    for (std::size_t i = 0; i < why.size(); ++i) {
      if (!why[i].empty()) continue;
      const auto source = files.find(python_source_of(group.places[i]->location.path));
      if (source != files.end())
        why[i] = source->second;
      else if (group.best->key)
        why[i] = files.begin()->second;
    }
    return why;
  }

  void add(const Group& group, const std::vector<std::string>& why_public, const std::string& bound,
           std::size_t number) {
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
    if (finding.key && std::any_of(group.places.begin(), group.places.end(),
                                   [](const Placed* placed) { return is_host_key_place(placed->location.path); }))
      finding.says += "; every copy of this image shares it";
    if (finding.key && !finding.key->fingerprint.empty()) {
      const std::string& fingerprint = finding.key->fingerprint;
      for (const auto& key : options_.agent_keys)
        if (key == fingerprint) finding.key->matches.push_back("agent: " + key);
      for (const auto& [key, place] : keys_)
        if (key == fingerprint) finding.key->matches.push_back("image: " + place);
    }
    // Each place is answered for by itself: an entry does not excuse the same secret elsewhere.
    Finding public_one = finding, allowed = finding;
    const std::string_view value = value_of(hit);
    for (std::size_t i = 0; i < group.places.size(); ++i) {
      const Placed* placed = group.places[i];
      if (!why_public[i].empty()) {
        if (public_one.why.empty()) public_one.why = why_public[i];
        public_one.locations.push_back(placed->location);
        continue;
      }
      const AllowEntry* entry = find_allow(options_.policy, hit.rule->id, placed->location, hit.key, value);
      if (entry != nullptr && allowed.why.empty()) allowed.why = entry->reason;
      (entry != nullptr ? allowed : finding).locations.push_back(placed->location);
    }
    if (!public_one.locations.empty()) record.published.push_back(std::move(public_one));
    if (!allowed.locations.empty()) record.allowed.push_back(std::move(allowed));
    if (finding.locations.empty()) return;
    finding.packaged = packaged(finding.locations);
    if (hit.rule->family == "generic" && of_the_system(finding.locations))
      finding.severity = std::min(finding.severity, Severity::low);
    finding.fix = hit.rule->fix.empty() ? general_fix(finding.locations.front()) : hit.rule->fix;
    if (!bound.empty()) {
      std::set<std::string> places;
      for (const Location& at : finding.locations)
        if (places.size() < 16 && places.insert(allow_place_of(at)).second)
          finding.allow += allow_entry_text(hit.rule->id, allow_place_of(at), bound);
    }
    (finding.severity < options_.policy.fail_on ? record.notes : record.leaks).push_back(std::move(finding));
  }

  const Outline& image_;
  const AuditOptions& options_;
  std::vector<std::pair<std::string, std::string>> keys_;  ///< fingerprint, place
  std::vector<const PackageRecords*> packages_;            ///< of each layer
};

}  // namespace

Audit AuditDesk::decide(const Outline& image, const Sightings& config_found,
                        const std::vector<const MemberRecord*>& beside, const AuditOptions& options, Pool& pool) {
  Decision decision(image, options);
  decision.facts(beside);
  const std::vector<Placed> placed = place_all(image, config_found, beside);
  decision.untried(placed);
  decision.findings(grouped(placed), pool);
  return Audit(std::move(decision.record));
}

}  // namespace imgbuild
