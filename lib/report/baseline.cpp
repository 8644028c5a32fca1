// imgbuild.baseline/1:
//   {"schema": "imgbuild.baseline/1", "salt": BASE64 of 16 bytes,
//    "leaks": [{"rule": "ssh.private-key", "at": "*:root/.ssh/id_rsa", "identity": "SHA256:..." | "scrypt:BASE64"}]}
// One salt for the file, so that a run hashes each of its secrets once however long the list is; random, so that two
// files do not tell that they hold the same password. Places are redacted: a path may hold a secret too.
#include "report/baseline.hpp"

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/text.hpp"
#include "crypto/digest.hpp"

namespace imgbuild {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* schema = "imgbuild.baseline/1";

bool is_key(const Finding& finding) { return finding.key && !finding.key->fingerprint.empty(); }

// The place as it is bound: any layer, for its number changes with every edit of the base.
std::string bound_place(const Location& place, const Redaction& redaction) {
  const std::string where = allow_place_of(place);
  return printable(redaction(place.layer >= 0 ? "*" + where.substr(where.find(':')) : where));
}

}  // namespace

std::string_view SaltedHashes::value_of(const Finding& finding, const Location& place) const {
  const std::string_view value = vault_.value_of(finding.identity);
  // What a name alone gives away has no other value than its name.
  return value.empty() && place.kind == Location::Kind::name ? std::string_view(place.path) : value;
}

std::string SaltedHashes::identity_of(const Finding& finding, const Location& place) {
  if (is_key(finding)) return finding.key->fingerprint;
  const auto known = known_.find(finding.identity);
  if (known != known_.end()) return known->second;
  const std::string_view value = value_of(finding, place);
  return known_[finding.identity] = value.empty() ? std::string() : "scrypt:" + scrypt_hash(value, salt_);
}

void SaltedHashes::prepare(const std::vector<const Finding*>& findings) {
  std::map<Identity, std::string_view> wanted;
  for (const Finding* finding : findings)
    if (!is_key(*finding) && !finding->locations.empty() && known_.count(finding->identity) == 0)
      wanted[finding->identity] = value_of(*finding, finding->locations.front());
  struct Task {
    const Identity* identity;
    std::string_view value;
    std::string hash;
  };
  std::vector<Task> tasks;
  for (const auto& [identity, value] : wanted)
    if (!value.empty()) tasks.push_back({&identity, value, {}});
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < tasks.size(); i = next++) {
      try {
        tasks[i].hash = "scrypt:" + scrypt_hash(tasks[i].value, salt_);
      } catch (const std::exception&) {  // left empty: made again, and told, by identity_of()
      }
    }
  };
  std::vector<std::thread> others;
  const std::size_t hands = std::min<std::size_t>(tasks.size(), std::thread::hardware_concurrency());
  for (std::size_t i = 1; i < hands; ++i) others.emplace_back(work);
  work();
  for (auto& thread : others) thread.join();
  for (auto& task : tasks)
    if (!task.hash.empty()) known_[*task.identity] = std::move(task.hash);
}

Baseline Baseline::read(std::string_view text, const std::string& name) {
  const auto fail = [&](const std::string& what) {
    throw Error(name + ": damaged baseline: " + what, "make it again with --write-baseline");
  };
  Baseline baseline;
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) fail("no JSON");
  if (!json.is_object() || !json.contains("schema") || json["schema"] != schema) fail(std::string("not ") + schema);
  const auto word = [&](const Json& object, const char* key) {
    if (!object.is_object() || !object.contains(key) || !object[key].is_string()) fail(std::string("no ") + key);
    return object[key].get<std::string>();
  };
  const auto salt = unbase64(word(json, "salt"));
  if (!salt || salt->size() != 16) fail("the salt is not 16 bytes");
  baseline.salt_ = *salt;
  if (!json.contains("leaks") || !json["leaks"].is_array()) fail("no leaks");
  for (const auto& leak : json["leaks"]) {
    const std::string rule = word(leak, "rule"), at = word(leak, "at"), identity = word(leak, "identity");
    const bool key = identity.rfind("SHA256:", 0) == 0, hash = identity.rfind("scrypt:", 0) == 0;
    const auto bytes = unbase64(std::string_view(identity).substr(std::min<std::size_t>(7, identity.size())));
    if (!(key || hash) || !bytes || bytes->size() != 32) fail("an identity that is none");
    baseline.leaks_[{rule, at}].insert(identity);
  }
  return baseline;
}

void Baseline::apply(ImageRecord& image, const Vault& vault, const Redaction& redaction) const {
  // Only a secret whose rule and place are on the list is worth its slow hash.
  std::vector<std::vector<const std::set<std::string>*>> listed(image.leaks.size());
  std::vector<const Finding*> candidates;
  for (std::size_t i = 0; i < image.leaks.size(); ++i) {
    bool any = false;
    for (const auto& place : image.leaks[i].locations) {
      const auto entry = leaks_.find({image.leaks[i].rule, bound_place(place, redaction)});
      listed[i].push_back(entry == leaks_.end() ? nullptr : &entry->second);
      any = any || listed[i].back() != nullptr;
    }
    if (any) candidates.push_back(&image.leaks[i]);
  }
  SaltedHashes hashes(salt_, vault);
  hashes.prepare(candidates);
  std::vector<Finding> fresh;
  for (std::size_t i = 0; i < image.leaks.size(); ++i) {
    Finding& leak = image.leaks[i];
    Finding known = leak;
    known.locations.clear();
    std::vector<Location> new_places;
    for (std::size_t p = 0; p < leak.locations.size(); ++p) {
      const bool is_known =
          listed[i][p] != nullptr && listed[i][p]->count(hashes.identity_of(leak, leak.locations[p])) > 0;
      (is_known ? known.locations : new_places).push_back(leak.locations[p]);
    }
    leak.locations = std::move(new_places);
    if (!known.locations.empty()) image.known.push_back(std::move(known));
    if (!leak.locations.empty()) fresh.push_back(std::move(leak));
  }
  image.leaks = std::move(fresh);
}

std::string write_baseline(const std::vector<ImageRecord>& images, const Vault& vault, const Redaction& redaction,
                           std::size_t& left_out) {
  Bytes salt(16);
  random_bytes(salt);
  SaltedHashes hashes(std::move(salt), vault);
  std::vector<const Finding*> all;
  for (const auto& image : images)
    for (const auto* list : {&image.leaks, &image.known})
      for (const auto& finding : *list) all.push_back(&finding);
  hashes.prepare(all);
  left_out = 0;
  std::set<std::tuple<std::string, std::string, std::string>> entries;
  for (const Finding* finding : all)
    for (const auto& place : finding->locations) {
      const std::string identity = hashes.identity_of(*finding, place);
      if (identity.empty())
        ++left_out;
      else
        entries.emplace(finding->rule, bound_place(place, redaction), identity);
    }
  Json leaks = Json::array();
  for (const auto& [rule, at, identity] : entries)
    leaks.push_back({{"rule", rule}, {"at", at}, {"identity", identity}});
  const Json json{{"schema", schema}, {"salt", base64(hashes.salt())}, {"leaks", std::move(leaks)}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace imgbuild
