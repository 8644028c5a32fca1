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
  if (member.digest == descriptor.digest && (!descriptor.sized || member.stored == descriptor.size)) return;
  throw Error("its bytes are not what the manifest says: expected " + descriptor.digest +
              (descriptor.sized ? " (" + std::to_string(descriptor.size) + " bytes)" : "") + ", got " + member.digest +
              " (" + std::to_string(member.stored) + " bytes)");
}

void check_layer(const MemberRecord& layer, const std::string& diff_id) {
  if (!layer.failure.empty()) throw Error(layer.failure);
  if (layer.type != MemberRecord::Type::layer) throw Error("not a tar archive (" + printable(layer.name) + ")");
  if (layer.diff_id != diff_id)
    throw Error("its bytes are not what the config says (diff id): expected " + diff_id + ", got " + layer.diff_id);
}

/// Fills in the config and the layers. `layer(i)` throws what is wrong with one.
template <class Layer>
void fill(Outline& outline, const Member& config, std::size_t layers, Layer layer) {
  if (config->type != MemberRecord::Type::document) throw Error("the config is not JSON");
  outline.config = parse_config(config->text);
  outline.own.push_back(config);
  if (outline.config.diff_ids.size() != layers)
    throw Error(std::to_string(layers) + " layers, but the config names " +
                std::to_string(outline.config.diff_ids.size()));
  for (std::size_t i = 0; i < layers; ++i) {
    try {
      outline.layers.push_back(layer(i, outline.config.diff_ids[i]));
    } catch (const Interrupted&) {
      throw;
    } catch (const Error& error) {
      throw error.within("layer " + std::to_string(i));
    }
  }
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

/// The member for a descriptor, its bytes checked; a gap where it may be missing.
Member part(const Descriptor& descriptor, const Lookup& lookup) {
  Member member = lookup(descriptor);
  if (!member && descriptor.foreign()) return foreign_gap(descriptor);
  if (!member) throw Error(descriptor.digest + " is missing");
  check_bytes(*member, descriptor);
  return member;
}

}  // namespace

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
    const Member config = find_member(members, config_name);
    if (!config) throw Error("the config " + printable(config_name) + " is not in the archive");
    check_digest(*config, digest_claimed(normal(config_name)));
    Outline& outline = outlines.emplace_back();
    fill(outline, config, layers.size(), [&](std::size_t i, const std::string& diff_id) {
      Member member = find_member(members, layers[i]);
      if (!member) {
        // `docker save` leaves foreign layers out and says so.
        for (const auto& [id, source] : at(image, "LayerSources").items())
          if (id == diff_id) {
            Descriptor foreign;
            foreign.digest = diff_id;
            foreign.urls = texts_of(at(source, "urls"));
            return foreign_gap(foreign);
          }
        throw Error(printable(layers[i]) + " is not in the archive");
      }
      check_layer(*member, diff_id);
      check_digest(*member, digest_claimed(normal(layers[i])));
      return member;
    });
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
  try {
    if (manifest.kind == Manifest::Kind::image) {
      Member config;
      try {
        config = part(manifest.config, lookup);
      } catch (const Interrupted&) {
        throw;
      } catch (const Error& error) {
        throw error.within("config");
      }
      fill(outline, config, manifest.layers.size(), [&](std::size_t i, const std::string& diff_id) {
        const Descriptor& descriptor = manifest.layers[i];
        Member member = part(descriptor, lookup);
        if (!member->record.gaps.empty() && member->diff_id.empty() && member->failure.empty()) return member;
        check_layer(*member, diff_id);
        return member;
      });
      return outline;
    }
    outline.config.id = image.document.digest;
    if (!manifest.config.digest.empty()) outline.own.push_back(part(manifest.config, lookup));
    for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
      try {
        outline.own.push_back(part(manifest.layers[i], lookup));
      } catch (const Interrupted&) {
        throw;
      } catch (const Error& error) {
        throw error.within("blob " + std::to_string(i));
      }
    }
    return outline;
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    const std::string said = error.what();
    throw said.starts_with("layer ") ? error : error.within(image.document.name);
  }
}

ImageStore::Root MemberStore::root() {
  const Member index = find_member(members_, "index.json");
  if (!index)
    throw Error("no image archive: it holds neither manifest.json nor index.json",
                "docker save NAME -o FILE makes one");
  try {
    return {"index.json", document_text(*index), true};
  } catch (const Error& error) {
    throw error.within("index.json");
  }
}

std::optional<std::string> MemberStore::manifest(const Descriptor& descriptor) {
  const Member member = find_member(members_, descriptor.path());
  if (!member) return std::nullopt;
  return document_text(*member);
}

}  // namespace imgbuild
