#include "audit/layer_cache.hpp"

#include <link.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "scan/published.hpp"

namespace imgbuild {
namespace {

using nlohmann::json;

json packed(const std::optional<KeyFacts>& key) {
  if (!key) return nullptr;
  return {key->type, key->bits, key->encrypted, key->fingerprint};
}

std::optional<KeyFacts> key_from(const json& packed) {
  if (packed.is_null()) return std::nullopt;
  return KeyFacts{packed.at(0).get<std::string>(),
                  packed.at(1).get<int>(),
                  packed.at(2).get<bool>(),
                  packed.at(3).get<std::string>(),
                  {}};
}

// A fingerprint says which key it is to everybody; any other identity is an HMAC that dies with the process that made
// it, and of those only which are the same is kept.
bool lasts(const Hit& hit) { return hit.key && !hit.key->fingerprint.empty(); }

json packed(const Sighting& one, std::map<std::string, int>& identities) {
  const Hit& hit = one.hit;
  const int same = identities.emplace(hit.identity.text, static_cast<int>(identities.size())).first->second;
  return {static_cast<int>(one.kind),
          one.entry,
          one.path,
          one.inside,
          one.whole_document,
          hit.rule->id,
          hit.begin,
          hit.end,
          hit.line,
          hit.decoded,
          static_cast<int>(hit.severity),
          packed(hit.key),
          same,
          one.sha256};
}

Sighting sighting_from(const json& packed, const std::map<std::string, const Rule*>& rules, const std::string& layer) {
  Sighting one;
  one.kind = static_cast<Location::Kind>(packed.at(0).get<int>());
  packed.at(1).get_to(one.entry);
  packed.at(2).get_to(one.path);
  packed.at(3).get_to(one.inside);
  packed.at(4).get_to(one.whole_document);
  const auto rule = rules.find(packed.at(5).get<std::string>());
  if (rule == rules.end()) throw Error("a layer's record names a rule that is not known");
  one.hit.rule = rule->second;
  packed.at(6).get_to(one.hit.begin);
  packed.at(7).get_to(one.hit.end);
  packed.at(8).get_to(one.hit.line);
  packed.at(9).get_to(one.hit.decoded);
  one.hit.severity = static_cast<Severity>(packed.at(10).get<int>());
  one.hit.key = key_from(packed.at(11));
  one.hit.identity.text =
      lasts(one.hit) ? one.hit.key->fingerprint : "record:" + layer + ":" + std::to_string(packed.at(12).get<int>());
  packed.at(13).get_to(one.sha256);
  return one;
}

json packed(const NotScanned& gap) { return {gap.path, gap.why, gap.bytes, gap.sha256}; }

NotScanned gap_from(const json& packed) {
  NotScanned gap;
  packed.at(0).get_to(gap.path);
  packed.at(1).get_to(gap.why);
  packed.at(2).get_to(gap.bytes);
  packed.at(3).get_to(gap.sha256);
  return gap;
}

// Would a report on this need the value: to hold an allow-entry against it, to print one, to redact it? Not of a key,
// nor of what everybody can have, nor of a note.
bool needs_value(const Sighting& one, const Policy& policy) {
  return !lasts(one.hit) && one.hit.severity >= policy.fail_on && published_file(one.sha256).empty();
}

}  // namespace

std::string build_of_this_program() {
  std::string id;
  ::dl_iterate_phdr(
      [](dl_phdr_info* object, std::size_t, void* into) {
        for (int i = 0; i < object->dlpi_phnum; ++i) {
          const auto& segment = object->dlpi_phdr[i];
          if (segment.p_type != PT_NOTE) continue;
          const auto* at = reinterpret_cast<const std::uint8_t*>(object->dlpi_addr + segment.p_vaddr);
          const auto* end = at + segment.p_memsz;
          while (end - at >= static_cast<std::ptrdiff_t>(sizeof(ElfW(Nhdr)))) {
            ElfW(Nhdr) note;
            std::memcpy(&note, at, sizeof note);
            const std::size_t name = (note.n_namesz + 3U) & ~3U, content = (note.n_descsz + 3U) & ~3U;
            if (name + content > static_cast<std::size_t>(end - at) - sizeof note) break;
            if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(at + sizeof note, "GNU", 4) == 0)
              *static_cast<std::string*>(into) = hex({at + sizeof note + name, note.n_descsz});
            at += sizeof note + name + content;
          }
        }
        return 1;  // the program itself comes first
      },
      &id);
  return id;
}

Bytes write_layer(const MemberRecord& layer) {
  std::map<std::string, int> identities;
  json found = json::array(), gaps = json::array(), keys = json::array(), links = json::array();
  for (const Sighting& one : layer.record.found) found.push_back(packed(one, identities));
  for (const NotScanned& gap : layer.record.gaps) gaps.push_back(packed(gap));
  for (const PublicKey& key : layer.record.keys) keys.push_back({key.fingerprint, key.place});
  for (const HardLink& link : layer.hard_links) links.push_back({link.entry, link.path, link.target});
  json largest = json::array();
  for (const auto& [path, bytes] : layer.largest) largest.push_back({path, bytes});
  const View index = layer.index.bytes();
  return json::to_cbor(json::array(
      {layer.name, layer.digest, layer.stored, layer.bytes, layer.diff_id, layer.record.archives(),
       layer.record.git_objects(), std::move(found), std::move(gaps), std::move(keys), std::move(links),
       json::binary({index.begin(), index.end()}), json::binary(layer.record.packages.write()), std::move(largest)}));
}

std::shared_ptr<MemberRecord> read_layer(View record, const Scanner& scanner) {
  std::map<std::string, const Rule*> rules;
  for (const Rule& rule : scanner.rules()) rules.emplace(rule.id, &rule);
  try {
    const json all = json::from_cbor(record.begin(), record.end());
    auto layer = std::make_shared<MemberRecord>();
    layer->type = MemberRecord::Type::layer;
    layer->cached = true;
    all.at(0).get_to(layer->name);
    all.at(1).get_to(layer->digest);
    all.at(2).get_to(layer->stored);
    all.at(3).get_to(layer->bytes);
    all.at(4).get_to(layer->diff_id);
    layer->record.opened(all.at(5).get<std::uint64_t>(), all.at(6).get<std::uint64_t>());
    for (const json& one : all.at(7)) layer->record.found.push_back(sighting_from(one, rules, layer->diff_id));
    for (const json& gap : all.at(8)) layer->record.gaps.push_back(gap_from(gap));
    for (const json& key : all.at(9))
      layer->record.keys.push_back({key.at(0).get<std::string>(), key.at(1).get<std::string>()});
    for (const json& link : all.at(10))
      layer->hard_links.push_back(
          {link.at(0).get<std::uint64_t>(), link.at(1).get<std::string>(), link.at(2).get<std::string>()});
    layer->index = PathIndex(all.at(11).get_binary());
    layer->record.packages.read(all.at(12).get_binary());
    for (const json& one : all.at(13))
      layer->largest.emplace_back(one.at(0).get<std::string>(), one.at(1).get<std::uint64_t>());
    return layer;
  } catch (const json::exception&) {
    throw Error("a layer's record is damaged");
  }
}

std::unique_ptr<LayerCache> LayerCache::open(const Scanner& scanner) {
  auto store = RecordStore::open();
  return store ? std::unique_ptr<LayerCache>(new LayerCache(std::move(store), scanner)) : nullptr;
}

std::string LayerCache::name_of(const std::string& digest) const {
  return hex(sha256(view_of("imgbuild layer\n" + maker_ + "\n" + digest)));
}

std::shared_ptr<MemberRecord> LayerCache::find(const std::string& digest, const Policy& policy) const {
  const auto record = store_->get(name_of(digest));
  if (!record) return nullptr;
  try {
    auto layer = read_layer(*record, scanner_);
    const auto& found = layer->record.found;
    std::set<std::pair<Identity, std::string>> published;  // what is in a file that everybody can have, and which
    for (const Sighting& one : found)
      if (!published_file(one.sha256).empty()) published.emplace(one.hit.identity, one.path);
    const bool lacks = std::any_of(found.begin(), found.end(), [&](const Sighting& one) {
      if (!needs_value(one, policy) || published.contains({one.hit.identity, python_source_of(one.path)})) return false;
      const auto* owner = layer->record.packages.owner(one.path);  // generic in a file of the system: a note
      return policy.fail_on == Severity::low || one.hit.rule->family != "generic" || owner == nullptr ||
             !is_of_the_system(owner->manager);
    });
    return lacks || layer->digest != digest ? nullptr : layer;
  } catch (const Error&) {
    return nullptr;
  }
}

void LayerCache::keep(const MemberRecord& layer) const {
  if (layer.type != MemberRecord::Type::layer || !layer.failure.empty() || layer.cached) return;
  // What a build handed out is found by a rule that no other run has.
  const auto& found = layer.record.found;
  // Of a key that a later run has time for another thing may be told.
  if (std::any_of(found.begin(), found.end(), [](const Sighting& one) {
        return one.hit.rule == &vault_rule() || (one.hit.key && one.hit.key->untried);
      }))
    return;
  store_->put(name_of(layer.digest), write_layer(layer));
}

}  // namespace imgbuild
