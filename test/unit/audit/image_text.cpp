#include "image_text.hpp"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>

#include "base/fd.hpp"
#include "base/process.hpp"
#include "base/temp_dir.hpp"
#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "tar/writer.hpp"

namespace imgbuild::test {
namespace {

using Json = nlohmann::ordered_json;

void replace_all(std::string& text, const std::string& what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

struct KeyPair {
  std::string secret, open;
};
KeyPair make_key() {
  const TempDir folder;
  const std::string file = folder.path() + "/key";
  if (run({.argv = {"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", file}}).status != 0)
    throw std::runtime_error("ssh-keygen failed");
  return {read_file(file), read_file(file + ".pub")};
}

std::string tar_of(const std::string& path, const std::string& content) {
  std::string bytes;
  TarWriter writer([&](View piece) { bytes += text_of(piece); });
  writer.file(path, view_of(content));
  writer.finish();
  return bytes;
}

std::string zip_of(const std::string& options, const std::string& inner, const std::string& content) {
  const TempDir folder;
  write_file(folder.path() + "/" + inner, content);
  return piped("cd " + folder.path() + " && zip -q " + options + " x.zip " + inner + " && cat x.zip", "");
}

/// The next word of a line, taken from it.
std::string word(std::string_view& line) {
  line = trim(line);
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string first(line.substr(0, end));
  line = trim(line.substr(end));
  return first;
}

struct Layer {
  std::string created_by, packing, tar, tail;
  std::size_t cut = 0;
  std::optional<std::size_t> change;
  std::string tar_bytes, stored;
};

class Builder {
 public:
  std::vector<Layer> layers;
  Json config{{"architecture", "amd64"}, {"os", "linux"}, {"config", Json::object()}, {"history", Json::array()}};
  std::vector<std::pair<std::string, std::string>> members;

  void line(std::string_view text) {
    const std::string verb = word(text);
    if (verb == "layer") return begin(text);
    if (verb == "env") {
      config["config"]["Env"].push_back(filled(std::string(text)));
    } else if (verb == "label") {
      const std::string setting = filled(std::string(text));
      config["config"]["Labels"][setting.substr(0, setting.find('='))] = setting.substr(setting.find('=') + 1);
    } else if (verb == "history") {
      config["history"].push_back({{"created_by", filled(std::string(text))}, {"empty_layer", true}});
    } else if (verb == "member") {
      const std::string name = word(text);
      members.emplace_back(name, filled(std::string(text)));
    } else {
      in_layer(verb, text);
    }
  }

  void finish() {
    end();
    Json ids = Json::array();
    for (const auto& layer : layers) ids.push_back(sha256_digest(view_of(layer.tar_bytes)));
    config["rootfs"] = {{"type", "layers"}, {"diff_ids", ids}};
  }

 private:
  void begin(std::string_view text) {
    end();
    layers.emplace_back();
    Layer& layer = layers.back();
    std::string_view rest = text;
    if (const std::string packing = word(rest); packing == "gzip" || packing == "zstd" || packing == "xz") {
      layer.packing = packing;
      text = rest;
    }
    layer.created_by = std::string(text);
    config["history"].push_back({{"created_by", filled(layer.created_by)}});
    writer_ = std::make_unique<TarWriter>([this](View piece) { layers.back().tar_bytes += text_of(piece); });
  }

  void end() {
    if (!writer_) return;
    writer_->finish();
    writer_.reset();
    Layer& layer = layers.back();
    layer.tar_bytes += layer.tail;
    if (layer.change) layer.tar_bytes.at(*layer.change) ^= 0x55;
    layer.tar_bytes.resize(layer.tar_bytes.size() - layer.cut);
    layer.stored = layer.packing.empty() ? layer.tar_bytes : piped(layer.packing + " -c", layer.tar_bytes);
  }

  void in_layer(const std::string& verb, std::string_view text) {
    if (!writer_) throw std::runtime_error("outside a layer: " + verb);
    if (verb == "tail") {
      layers.back().tail = filled(std::string(text));
      return;
    }
    if (verb == "cut" || verb == "change") {
      const std::size_t number = std::stoul(std::string(text));
      if (verb == "cut")
        layers.back().cut = number;
      else
        layers.back().change = number;
      return;
    }
    TarEntry entry;
    entry.path = filled(word(text));
    entry.mode = 0644;
    std::string content = filled(std::string(text));
    const std::size_t bar = text.rfind('|');  // commands have pipes of their own
    if (verb == "pack" || verb == "zip") {
      std::string_view inner = text.substr(bar + 1);
      const std::string name = word(inner), options(trim(text.substr(0, bar))), inside = filled(std::string(inner));
      content = verb == "zip" ? zip_of(options, name, inside) : piped(options, tar_of(name, inside));
    } else if (verb == "through") {
      content = piped(std::string(text.substr(0, bar)), filled(std::string(trim(text.substr(bar + 1)))));
    } else if (verb == "dir") {
      entry.type = TarEntry::Type::directory;
    } else if (verb == "symlink" || verb == "hardlink") {
      entry.type = verb == "symlink" ? TarEntry::Type::symlink : TarEntry::Type::hard_link;
      entry.link = content;
    } else if (verb == "xattr" || verb == "pax") {
      const std::size_t equals = content.find('=');
      (verb == "xattr" ? entry.xattrs : entry.pax).emplace_back(content.substr(0, equals), content.substr(equals + 1));
      content.clear();
    } else if (verb != "file") {
      throw std::runtime_error("not a word of this language: " + verb);
    }
    if (entry.type != TarEntry::Type::file) content.clear();
    entry.size = content.size();
    writer_->entry(entry);
    if (!content.empty()) writer_->data(view_of(content));
  }

  std::unique_ptr<TarWriter> writer_;
};

std::string hex_of(const std::string& bytes) { return sha256_digest(view_of(bytes)).substr(7); }

}  // namespace

std::string piped(const std::string& command, const std::string& in) {
  Ran ran = run({.argv = {"sh", "-c", command}}, in);
  if (ran.status != 0) throw std::runtime_error(command + ": " + ran.err);
  return ran.out;
}

std::string filled(const std::string& text) {
  static const KeyPair key = make_key(), other = make_key();
  std::string done = text;
  replace_all(done, "{{}}", "");
  replace_all(done, "@KEY@", key.secret);
  replace_all(done, "@OTHER_KEY@", other.secret);
  replace_all(done, "@PUBLIC@", key.open);
  replace_all(done, "\\n", "\n");
  return done;
}

std::string ImageText::said(const std::string& key) const {
  const auto at = header.find(key);
  return at == header.end() ? "" : at->second;
}

ImageText read_image(const std::string& name, const std::string& text) {
  ImageText image;
  image.name = name;
  const std::size_t blank = text.find("\n\n");
  if (blank == std::string::npos) throw std::runtime_error(name + ": no blank line after the header");
  for (const auto& line : split(text.substr(0, blank), '\n')) {
    const std::size_t colon = line.find(": ");
    if (colon == std::string::npos) throw std::runtime_error(name + ": not a header line: " + line);
    image.header.emplace(line.substr(0, colon), filled(line.substr(colon + 2)));
  }
  image.body = text.substr(blank + 2);
  return image;
}

std::vector<ImageText> read_images(const std::string& folder) {
  std::vector<ImageText> images;
  for (const auto& file : std::filesystem::directory_iterator(folder))
    if (file.path().extension() == ".txt")
      images.push_back(read_image(file.path().stem().string(), read_file(file.path().string())));
  std::sort(images.begin(), images.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return images;
}

std::string archive_of(const ImageText& image, Layout layout) {
  Builder builder;
  for (const auto& line : split(image.body, '\n'))
    if (!trim(line).empty()) builder.line(trim(line));
  builder.finish();
  const std::string config = builder.config.dump();
  std::string archive;
  TarWriter writer([&](View piece) { archive += text_of(piece); });
  Json names = Json::array(), descriptors = Json::array();
  for (std::size_t i = 0; i < builder.layers.size(); ++i) {
    const std::string& stored = builder.layers[i].stored;
    const std::string name =
        layout == Layout::old ? "layer" + std::to_string(i) + "/layer.tar" : "blobs/sha256/" + hex_of(stored);
    writer.file(name, view_of(stored));
    names.push_back(name);
  }
  const std::string config_name = layout == Layout::old ? hex_of(config) + ".json" : "blobs/sha256/" + hex_of(config);
  writer.file(config_name, view_of(config));
  for (const auto& [name, content] : builder.members) writer.file(name, view_of(content));
  writer.file("manifest.json",
              view_of(Json{{{"Config", config_name}, {"RepoTags", {"test:1"}}, {"Layers", names}}}.dump()));
  writer.finish();
  return archive;
}

}  // namespace imgbuild::test
