// An engine's images: found, read, loaded, named, removed.
#include <unistd.h>

#include <algorithm>
#include <exception>

#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "engine/archives.hpp"
#include "engine/content_store.hpp"
#include "engine/docker_engine.hpp"
#include "engine/registry_auth.hpp"
#include "image/platform.hpp"
#include "image/reference.hpp"

namespace imgbuild {
namespace {

std::string image_path(const std::string& name) { return "/images/" + percent_encode(name, "/:@"); }

// With containerd's store a dangling image may be listed under "<none>" names.
std::vector<std::string> names_of(const Json& image) {
  std::vector<std::string> names = texts_of(at(image, "RepoTags"));
  const auto none = [](const std::string& name) { return name.starts_with("<none>"); };
  names.erase(std::remove_if(names.begin(), names.end(), none), names.end());
  return names;
}

std::string platform_of(const Json& image) {
  std::string platform = text_at(image, "Os") + "/" + text_at(image, "Architecture");
  if (const std::string variant = text_at(image, "Variant"); !variant.empty()) platform += "/" + variant;
  return platform;
}

// "?platform=" as the API wants it; empty where it is none.
std::string platform_query(const std::string& platform) {
  const auto parts = split(platform, '/');
  if (parts.size() < 2) return {};
  Json wanted = {{"os", parts[0]}, {"architecture", parts[1]}};
  if (parts.size() > 2) wanted["variant"] = parts[2];
  return "?platform=" + percent_encode(wanted.dump());
}

}  // namespace

Json DockerEngine::inspect_image(const std::string& name) {
  const HttpAnswer answer = api_.ask("GET", image_path(name) + "/json");
  if (answer.status == 404) return nullptr;
  if (answer.status != 200) throw Api::refusal("inspect", answer);
  return parse_json(answer.body, "engine: inspect: the answer");
}

// Of an image for several platforms only one is shown unless it is asked for.
bool DockerEngine::has_platform(const std::string& name, const std::string& platform) {
  const std::string asked = platform_query(platform);
  return !asked.empty() && api_.at_least(49) && api_.ask("GET", image_path(name) + "/json" + asked).status == 200;
}

EngineImage DockerEngine::find_image(const std::string& name, const std::string& platform, Pull pull) {
  const bool by_id = is_image_id(name);
  if (!by_id) parse_reference(name);  // throws on what is none
  const std::string shown = printable(name);

  Json image = inspect_image(name);
  const auto fits = [&] { return platform_fits(platform_of(image), platform) || has_platform(name, platform); };
  const bool here = !image.is_null() && fits();
  if (!by_id && (pull == Pull::always || (pull == Pull::missing && !here))) {
    pull_image(name, platform);
    image = inspect_image(name);
  }
  if (image.is_null())
    throw Error("engine: it has no image " + shown,
                by_id ? "`docker images` lists those it has"
                      : "`docker pull " + shown + "` fetches it; `docker images` lists those it has");
  if (!fits())
    throw Error("engine: " + shown + " is for " + printable(platform_of(image)) + ", not for " + printable(platform),
                "name an image for that platform, or leave --platform out");

  EngineImage found;
  found.handle = text_at(image, "Id");
  if (!found.handle.starts_with("sha256:")) found.handle = "sha256:" + found.handle;
  if (!is_image_id(found.handle)) throw Error("engine: inspect: " + shown + " has no id");
  if (!platform.empty()) meant_[found.handle] = platform;
  found.names = names_of(image);
  found.labels = pairs_of(at(at(image, "Config"), "Labels"));
  return found;
}

void DockerEngine::pull_image(const std::string& name, const std::string& platform) {
  const Reference reference = parse_reference(name);
  const std::string what = "pull " + printable(name);
  std::string path = "/images/create?fromImage=" + percent_encode(reference.repository) + "&tag=";
  // Without a tag every tag would be pulled.
  path += percent_encode(!reference.digest.empty() ? reference.digest
                         : reference.tag.empty()   ? "latest"
                                                   : reference.tag);
  if (!platform.empty()) path += "&platform=" + percent_encode(platform);

  std::vector<std::string> headers;
  const Secret auth = registry_auth(reference.registry(), variables_);
  if (!auth.empty()) headers.push_back("X-Registry-Auth: " + std::string(auth.reveal()));
  const char* hint = "is the name right? `docker login` logs in to a registry that asks for it";
  std::unique_ptr<HttpBody> body;
  try {
    body = api_.open(what, "POST", path, headers);
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    throw Error(error.what(), error.hint().empty() ? hint : error.hint());
  }
  for (auto& header : headers) wipe(header.data(), header.size());
  Messages messages;
  read_messages(*body, messages, what);
  if (!messages.failure().empty()) throw Error("engine: " + what + ": " + messages.failure(), hint);
}

std::optional<ImageConfig> DockerEngine::stored_config(const std::string& handle) {
  if (const auto known = configs_.find(handle); known != configs_.end()) return known->second;
  facts();
  std::string raw = files_.config(handle);
  if (raw.empty()) raw = helped_files_.config(handle);
  if (raw.empty()) return std::nullopt;
  return configs_.emplace(handle, parse_config(std::move(raw))).first->second;
}

std::optional<std::map<std::string, bool>> DockerEngine::manifests_of(const std::string& handle) {
  if (!api_.at_least(48)) return std::nullopt;
  const HttpAnswer answer = api_.ask("GET", image_path(handle) + "/json?manifests=1");
  if (answer.status != 200) return std::nullopt;
  const Json image = parse_json(answer.body, "engine: inspect: the answer");
  if (!at(image, "Manifests").is_array()) return std::nullopt;
  std::map<std::string, bool> manifests;
  for (const Json& manifest : at(image, "Manifests")) {
    const Json& available = at(manifest, "Available");
    const bool whole = available.is_boolean() && available.get<bool>();
    if (!whole && number_at(at(manifest, "Size"), "Content", 1) != 0) return std::nullopt;
    manifests[text_at(manifest, "ID")] = whole;
  }
  return manifests;
}

ImageConfig DockerEngine::config_of(const std::string& handle) {
  if (auto stored = stored_config(handle)) return *stored;
  std::string raw;
  // Of the image that is meant, where the engine has several of that handle.
  const auto asked = meant_.find(handle);
  std::string platform = asked == meant_.end() ? "" : asked->second;
  const auto inspect = [&] {
    const Json image = inspect_image(handle);
    if (image.is_null()) throw Error("engine: it has no image " + printable(handle));
    if (platform.empty()) platform = platform_of(image);
  };
  if (const auto store = raw.empty() ? stored_image(handle) : nullptr) {
    const auto meant = [&](const ImageConfig& config) {
      if (platform.empty()) inspect();
      return platform_fits(config.platform(), platform);
    };
    try {
      raw = find_kept(*store, meant).config;
    } catch (const Interrupted&) {
      throw;
    } catch (const Error&) {  // what cannot be read here, `save` has
    }
  }
  if (raw.empty()) {
    inspect();
    const auto source = save(handle);
    try {
      raw = find_saved(*source, handle, platform).config;
    } catch (const Interrupted&) {
      throw;
    } catch (const Error& error) {
      const std::string said = error.what();
      throw said.starts_with("engine: ") ? error : error.within("engine: save");
    }
  }
  return configs_.emplace(handle, parse_config(std::move(raw))).first->second;
}

Json DockerEngine::layers_of(const std::string& handle) {
  if (const auto store = stored_image(handle)) try {
      return find_kept(*store, [](const ImageConfig&) { return true; }).layers;
    } catch (const Interrupted&) {
      throw;
    } catch (const Error&) {  // what cannot be read here, `save` has
    }
  const auto source = save(handle);
  Json layers = find_saved(*source, handle, "").layers;
  if (!layers.is_array()) throw Error("engine: save: the image has no manifest");
  return layers;
}

std::unique_ptr<Source> DockerEngine::stored_layer(const std::string& handle, const std::vector<std::string>& diff_ids,
                                                   std::size_t index) {
  auto layer = files_.layer(handle, diff_ids, index);
  return layer ? std::move(layer) : helped_files_.layer(handle, diff_ids, index);
}

std::unique_ptr<ImageStore> DockerEngine::stored_image(const std::string& handle) {
  facts();
  auto image = files_.image(handle);
  return image ? std::move(image) : helped_files_.image(handle);
}

std::unique_ptr<Source> DockerEngine::save(const std::string& handle) {
  std::string path = image_path(handle) + "/get";
  if (const auto asked = meant_.find(handle);
      asked != meant_.end() && api_.at_least(48) && facts().kind == EngineFacts::Kind::docker_containerd)
    path += platform_query(asked->second);
  return api_.open("save", "GET", path);
}

void DockerEngine::load(const std::string& tar) {
  check_loaded(api_.ask("POST", "/images/load?quiet=1", tar, "application/x-tar"));
}

void DockerEngine::check_loaded(const HttpAnswer& answer) {
  if (answer.status != 200) throw Api::refusal("load", answer);
  Messages messages;  // a config that it does not accept is answered 200, with the failure in the body
  try {
    messages.feed(view_of(answer.body));
    messages.finish();
  } catch (const Error& error) {
    throw error.within("engine: load");
  }
  if (!messages.failure().empty()) throw Error("engine: load: " + messages.failure());
}

std::string DockerEngine::load_config(const std::string& committed, const std::string& config) {
  const ImageConfig parsed = parse_config(config);
  std::string handle = parsed.id;
  if (facts().kind == EngineFacts::Kind::docker_classic) {
    load(docker_archive(config, parsed.diff_ids));
  } else {
    const bool podman = facts_.kind == EngineFacts::Kind::podman;
    const OciArchive archive = oci_archive(config, podman ? podman_layers(parsed.diff_ids) : layers_of(committed));
    load(archive.tar);
    if (!podman) handle = archive.manifest;
  }
  return loaded(handle, parsed);
}

std::string DockerEngine::loaded(const std::string& handle, const ImageConfig& config) {
  const Json image = inspect_image(handle);
  if (image.is_null()) throw Error("engine: load: it has no image of the config that it was given");
  if (texts_of(at(at(image, "RootFS"), "Layers")) != config.diff_ids)
    throw Error("engine: load: the image that it made has other layers than its config");
  configs_.emplace(handle, config);
  return handle;
}

void DockerEngine::tag(const Cleared& cleared, const std::string& name) {
  const Reference reference = parse_reference(name);
  if (!reference.digest.empty())
    throw usage_error("\"" + printable(name) + "\" is no name that can be given: it has a digest");
  const std::string what = "tag " + printable(name);
  const std::string path = image_path(cleared.handle()) + "/tag?repo=" + percent_encode(reference.repository) +
                           "&tag=" + percent_encode(reference.tag.empty() ? "latest" : reference.tag);
  try {
    const HttpAnswer answer = api_.ask("POST", path);
    if (answer.status != 201) throw Api::refusal(what, answer);
  } catch (const Interrupted&) {
    throw;
  } catch (const Error&) {
    // Where only the answer was lost the image has its name: then that is what is told.
    const auto why = std::current_exception();
    try {
      std::string id = text_at(inspect_image(name), "Id");
      if (id == cleared.handle() || "sha256:" + id == cleared.handle()) return;
    } catch (const Error&) {  // the first failure says more
    }
    std::rethrow_exception(why);
  }
}

bool DockerEngine::remove_image(const std::string& handle) {
  Json image = inspect_image(handle);
  if (image.is_null() || !names_of(image).empty()) return false;
  // noprune: else the user's untagged base would go with it.
  const HttpAnswer answer = api_.ask("DELETE", image_path(handle) + "?noprune=1");
  if (answer.status == 404) return false;
  if (answer.status >= 200 && answer.status < 300) return true;
  // Podman may answer 409 although the image is gone.
  if (answer.status == 409 && inspect_image(handle).is_null()) return true;
  throw Api::refusal("remove " + printable(handle), answer);
}

}  // namespace imgbuild
