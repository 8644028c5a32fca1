// What was read is held against what the tables say. Two tables are in use: `docker save`'s manifest.json names members
// of the archive, OCI's manifests name blobs by digest and size. Both end in the same checks.
#include "audit/outline.hpp"

#include <algorithm>

#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "image/json.hpp"

namespace imgbuild {
namespace {

/// "a/../b/./c" is "b/c". Empty where it leaves the archive.
std::string normal(std::string_view path) {
  std::vector<std::string> parts;
  for (auto& part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(std::move(part));
    } else {
      if (parts.empty()) return {};
      parts.pop_back();
    }
  }
  return join(parts, "/");
}

std::string word_of(const Json& json, const char* what) {
  if (!json.is_string()) throw Error(std::string(what) + " is not a string");
  return json.get<std::string>();
}

std::string document_text(const MemberRecord& member) {
  if (!member.failure.empty()) throw Error(member.failure);
  if (member.type != MemberRecord::Type::document) throw Error("not JSON");
  return member.text;
}

/// The digest that a member's name claims: "blobs/sha256/HEX", "HEX.json". Empty: none.
std::string digest_claimed(const std::string& name) {
  std::string_view base = std::string_view(name).substr(name.rfind('/') + 1);
  if (base.ends_with(".json")) base.remove_suffix(5);
  const bool blob = name.starts_with("blobs/sha256/") || name.ends_with(".json");
  const std::string digest = "sha256:" + std::string(base);
  return blob && is_sha256_digest(digest) ? digest : "";
}

void check_digest(const MemberRecord& member, const std::string& claimed) {
  if (!claimed.empty() && member.digest != claimed)
    throw Error("its bytes are not what its name says: expected " + claimed + ", got " + member.digest + " (" +
                printable(member.name) + ")");
}

void check_bytes(const MemberRecord& member, const Descriptor& descriptor) {
  if (member.digest.empty() && !member.failure.empty()) throw Error(member.failure);
  if (member.digest == descriptor.digest && (!descriptor.sized || member.stored == descriptor.size)) return;
  throw Error("its bytes are not what the manifest says: expected " + descriptor.digest +
              (descriptor.sized ? " (" + std::to_string(descriptor.size) + " bytes)" : "") + ", got " + member.digest +
              " (" + std::to_string(member.stored) + " bytes)");
}

void check_layer(const MemberRecord& layer, const std::string& diff_id) {
  if (!layer.failure.empty()) throw Error(layer.failure);
  if (layer.type != MemberRecord::Type::layer) throw Error("not a tar archive (" + printable(layer.name) + ")");
  if (!diff_id.empty() && layer.diff_id != diff_id)
    throw Error("its bytes are not what the config says (diff id): expected " + diff_id + ", got " + layer.diff_id);
}

/// Calls `check`; what it throws is the image's damage.
template <class Check>
void held(Outline& outline, int layer, const std::string& path, std::uint64_t bytes, Check check) {
  try {
    check();
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    outline.damage.push_back(damage_of(layer, path, error.what(), bytes));
  }
}

/// A part by the name that a table calls it by; `find` may throw why it could not be read: then, and where it gives
/// none, that is a damage.
template <class Find>
Member part_of(Outline& outline, int layer, const std::string& name, Find find) {
  Member member;
  held(outline, layer, name, 0, [&] { member = find(); });
  return member;
}

/// The config; without one that can be read the image has none.
template <class Check>
void fill_config(Outline& outline, const Member& config, Check check) {
  outline.own.push_back(config);
  held(outline, -1, config->name, config->stored, [&] {
    if (!config->failure.empty()) throw Error("config: " + config->failure);
    if (config->type != MemberRecord::Type::document) throw Error("the config is not JSON");
    outline.config = parse_config(config->text);
  });
  held(outline, -1, config->name, config->stored, check);
}

/// A layer as far as it was read. What is no layer keeps its place, and is looked at as what it is.
template <class Check>
void fill_layer(Outline& outline, const Member& member, const std::string& name, Check check) {
  const int number = static_cast<int>(outline.layers.size());
  if (member) held(outline, number, member->name, member->stored, check);
  if (member && member->type != MemberRecord::Type::layer) outline.own.push_back(member);
  if (member && member->type == MemberRecord::Type::layer) {
    outline.layers.push_back(member);
  } else {
    outline.layers.push_back(std::make_shared<MemberRecord>());
    outline.layers.back()->type = MemberRecord::Type::layer;
    outline.layers.back()->name = name;
  }
}

/// Of a layer the diff id that the config says; empty: it is not known, for a reason that is told.
std::string diff_id_of(const Outline& outline, std::size_t i) {
  return i < outline.config.diff_ids.size() ? outline.config.diff_ids[i] : "";
}

void check_count(Outline& outline, const std::string& table, std::size_t layers) {
  const std::size_t named = outline.config.diff_ids.size();
  if (!outline.config.raw.empty() && named != layers)
    outline.damage.push_back(
        damage_of(-1, table, std::to_string(layers) + " layers, but the config names " + std::to_string(named)));
}

Member gap_of(const Descriptor& descriptor, std::string why) {
  auto member = std::make_shared<MemberRecord>();
  member->type = MemberRecord::Type::layer;
  member->name = descriptor.path();
  member->digest = descriptor.digest;
  NotScanned gap;
  gap.path = member->name;
  gap.why = std::move(why);
  gap.bytes = descriptor.size;
  gap.sha256 = descriptor.digest;
  member->record.add(std::move(gap));
  return member;
}

Member foreign_gap(const Descriptor& descriptor) {
  std::string why = "foreign layer: its bytes are not with the image";
  if (!descriptor.urls.empty()) why += ", but at " + printable(descriptor.urls.front());
  return gap_of(descriptor, std::move(why));
}

/// The member for a descriptor; a gap where it may be missing. Throws Error.
Member find_part(const Descriptor& descriptor, const Lookup& lookup) {
  Member member = lookup(descriptor);
  if (!member && descriptor.foreign()) return foreign_gap(descriptor);
  if (!member) throw Error(descriptor.digest + " is missing");
  return member;
}

bool is_gap(const MemberRecord& member) {
  return !member.record.gaps.empty() && member.digest == member.record.gaps.front().sha256 && member.stored == 0;
}

}  // namespace

NotScanned damage_of(int layer, const std::string& path, std::string why, std::uint64_t bytes) {
  NotScanned damage;
  damage.layer = layer;
  damage.path = path;
  damage.why = std::move(why);
  damage.bytes = bytes;
  damage.damaged = true;
  return damage;
}

Member find_member(const Members& members, const std::string& name) {
  std::string wanted = normal(name);
  for (int i = 0; i < 8; ++i) {
    const auto at = members.find(wanted);
    if (at == members.end()) return nullptr;
    if (at->second->link.empty()) return at->second;
    wanted = normal(at->second->link);
  }
  return nullptr;
}

std::vector<Outline> outline_of(const Members& members, const MemberRecord& manifest) {
  const std::string text = document_text(manifest);
  const Json json = parse_json(text, "the table");
  refuse_ambiguous_keys(text);
  if (!json.is_array() || json.empty()) throw Error("names no image");
  std::vector<Outline> outlines;
  for (const Json& image : json) {
    std::vector<std::string> layers;
    for (const Json& layer : at(image, "Layers")) layers.push_back(word_of(layer, "a layer's name"));
    const std::string config_name = word_of(at(image, "Config"), "Config");
    Outline& outline = outlines.emplace_back();
    if (const Member config = find_member(members, config_name))
      fill_config(outline, config, [&] { check_digest(*config, digest_claimed(normal(config_name))); });
    else
      outline.damage.push_back(damage_of(-1, config_name, "the config is not in the archive"));
    check_count(outline, "manifest.json", layers.size());
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const std::string diff_id = diff_id_of(outline, i);
      const Member member = part_of(outline, static_cast<int>(i), layers[i], [&]() -> Member {
        if (Member one = find_member(members, layers[i])) return one;
        // `docker save` leaves foreign layers out and says so.
        for (const auto& [id, source] : at(image, "LayerSources").items())
          if (id == diff_id) {
            Descriptor foreign;
            foreign.digest = diff_id;
            foreign.urls = texts_of(at(source, "urls"));
            return foreign_gap(foreign);
          }
        throw Error(printable(layers[i]) + " is not in the archive");
      });
      fill_layer(outline, member, layers[i], [&] {
        if (is_gap(*member)) return;
        check_layer(*member, diff_id);
        check_digest(*member, digest_claimed(normal(layers[i])));
      });
    }
  }
  return outlines;
}

Outline outline_of(const ImageParts& image, const Lookup& lookup) {
  Outline outline;
  auto document = std::make_shared<MemberRecord>();
  document->type = MemberRecord::Type::document;
  document->name = image.document.name;
  document->digest = image.document.digest;
  document->text = image.document.text;
  document->bytes = document->stored = image.document.text.size();
  if (image.attestation) document->kind = Location::Kind::attestation;
  outline.own.push_back(document);
  const Manifest& manifest = image.manifest;
  if (manifest.kind == Manifest::Kind::schema1) {
    outline.config.id = image.document.digest;
    NotScanned gap;
    gap.path = image.document.name;
    gap.why = "schema 1 manifest: its layers were not looked at";
    gap.bytes = image.document.text.size();
    gap.sha256 = image.document.digest;
    document->record.add(std::move(gap));
    return outline;
  }
  const auto find = [&](int layer, const std::string& what, const Descriptor& descriptor) {
    return part_of(outline, layer, descriptor.path(), [&] {
      try {
        return find_part(descriptor, lookup);
      } catch (const Interrupted&) {
        throw;
      } catch (const Error& error) {
        throw what.empty() ? error : error.within(what);
      }
    });
  };
  if (manifest.kind == Manifest::Kind::image) {
    if (const Member config = find(-1, "config", manifest.config))
      fill_config(outline, config, [&] {
        try {
          check_bytes(*config, manifest.config);
        } catch (const Error& error) {
          throw error.within("config");
        }
      });
    check_count(outline, image.document.name, manifest.layers.size());
    for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
      const Descriptor& descriptor = manifest.layers[i];
      const Member member = find(static_cast<int>(i), "", descriptor);
      fill_layer(outline, member, descriptor.path(), [&] {
        if (is_gap(*member)) return;
        check_bytes(*member, descriptor);
        check_layer(*member, diff_id_of(outline, i));
      });
    }
    return outline;
  }
  outline.config.id = image.document.digest;
  const auto own = [&](const std::string& what, const Descriptor& descriptor) {
    const Member member = find(-1, what, descriptor);
    if (!member) return;
    outline.own.push_back(member);
    if (is_gap(*member)) return;
    held(outline, -1, member->name, member->stored, [&] {
      try {
        check_bytes(*member, descriptor);
      } catch (const Error& error) {
        throw error.within(what);
      }
    });
  };
  if (!manifest.config.digest.empty()) own("config", manifest.config);
  for (std::size_t i = 0; i < manifest.layers.size(); ++i) own("blob " + std::to_string(i), manifest.layers[i]);
  return outline;
}

ImageStore::Root MemberStore::root() {
  const Member index = find_member(members_, "index.json");
  if (!index)
    throw Error("no image archive: it holds neither manifest.json nor index.json",
                "docker save NAME -o FILE makes one");
  return {"index.json", document_text(*index), true};
}

std::optional<std::string> MemberStore::manifest(const Descriptor& descriptor) {
  const Member member = find_member(members_, descriptor.path());
  if (!member) return std::nullopt;
  return document_text(*member);
}

}  // namespace imgbuild
