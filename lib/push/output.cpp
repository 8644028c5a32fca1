#include "push/output.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include "base/interrupt.hpp"
#include "base/new_file.hpp"
#include "base/text.hpp"
#include "engine/layers.hpp"
#include "image/merged_layers.hpp"
#include "push/folder_writer.hpp"
#include "push/image_archive.hpp"
#include "tar/writer.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t most_told = 5;
using Say = std::function<void(const std::string&)>;

Error wrong(const std::string& said, const std::string& why, const std::string& hint = {}) {
  return usage_error("--output: " + printable(said) + ": " + why, hint);
}

// The fields of a row of CSV: a quoted one may hold commas, and a quote that stands twice.
std::vector<std::string> fields_of(const std::string& said) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < said.size(); ++i) {
    const char c = said[i];
    if (quoted && c == '"' && said.substr(i + 1, 1) == "\"")
      fields.back() += said[i++];
    else if (c == '"' && (quoted || fields.back().empty()))
      quoted = !quoted;
    else if (c == ',' && !quoted)
      fields.emplace_back();
    else
      fields.back() += c;
  }
  if (quoted) throw wrong(said, "a quote has no end");
  return fields;
}

struct Type {
  Output::Kind kind;
  std::set<std::string> keys;
};

const std::map<std::string, Type>& types() {
  static const std::map<std::string, Type> all = {
      {"local", {Output::Kind::folder, {"dest"}}},
      {"tar", {Output::Kind::tar, {"dest"}}},
      {"docker", {Output::Kind::docker, {"dest", "name", "compression", "tar"}}},
      {"oci", {Output::Kind::oci, {"dest", "name", "compression", "tar"}}},
      {"image", {Output::Kind::engine, {"name", "push"}}},
      {"registry", {Output::Kind::engine, {"name"}}},
      {"cacheonly", {Output::Kind::nothing, {}}},
  };
  return all;
}

std::string known_types() {
  std::vector<std::string> names;
  for (const auto& [name, type] : types()) names.push_back(name);
  return "type=" + join(names, ", ") + "; or DIR; or - for a tar on standard output";
}

void set(Output& output, const std::string& key, const std::string& value) {
  if (key == "dest") {
    output.dest = value;
  } else if (key == "name") {
    for (const auto& name : split(value, ','))
      if (!trim(name).empty()) output.names.emplace_back(trim(name));
  } else if (key == "push" || key == "tar") {
    if (value != "true" && value != "false") throw wrong(output.said, key + " is true or false");
    (key == "push" ? output.push : output.in_tar) = value == "true";
  } else if (key == "compression") {
    if (value != "gzip" && value != "uncompressed") throw wrong(output.said, "compression is gzip or uncompressed");
    output.packed = value == "gzip";
  }
}

class ToTar : public TarVisitor {
 public:
  explicit ToTar(TarWriter& writer) : writer_(writer) {}
  void entry(const TarEntry& entry) override { writer_.entry(entry); }
  void data(View piece) override { writer_.data(piece); }
  void end_entry() override {}
  void stray(View, const char*) override {}

 private:
  TarWriter& writer_;
};

void tell_all(const MergedLayers& merged, TarVisitor& to) {
  MergedLayers::Reading reading(merged, to);
  while (reading.step()) interrupt::check();
}

void unpack(const MergedLayers& merged, const std::string& folder, const Say& say) {
  FolderWriter writer(folder);
  const auto so_far = [&] { return std::to_string(writer.written()) + " files were written"; };
  try {
    tell_all(merged, writer);
    writer.finish();
  } catch (const Interrupted&) {
    say("output: " + printable(folder) + ": " + so_far());
    throw;
  } catch (const Error& error) {
    throw error.within(so_far() + ", then");
  }
  say("wrote " + std::to_string(writer.written()) + " files (" + human_size(writer.bytes()) + ") to " +
      printable(folder));
  const auto& left = writer.left_out();
  if (left.empty()) return;
  std::vector<std::string> some;
  for (std::size_t i = 0; i < std::min(left.size(), most_told); ++i) some.push_back(printable(left[i]));
  say("warning: devices and pipes are not written to a folder: " + join(some, ", ") +
      (left.size() > most_told ? " and " + std::to_string(left.size() - most_told) + " more" : ""));
}

}  // namespace

std::string Output::shown() const {
  const std::string where = dest == "-" ? "standard output" : printable(dest);
  switch (kind) {
    case Kind::folder:
      return "its file system to " + where;
    case Kind::tar:
      return "its file system as a tar to " + where;
    case Kind::docker:
      return (in_tar ? "it for `docker load` to " : "it as `docker save` has it to the folder ") + where;
    case Kind::oci:
      return (in_tar ? "it as an OCI layout to " : "it as an OCI layout to the folder ") + where;
    case Kind::engine:
    case Kind::nothing:
      break;
  }
  return "";
}

Output parse_output(const std::string& said) {
  Output output;
  output.said = said;
  if (said.empty() || said.find('\0') != std::string::npos) throw wrong(said, "says no place", known_types());
  const auto fields = fields_of(said);
  if (fields.size() == 1 && fields.front() == said && said.find('=') == std::string::npos) {
    output.kind = said == "-" ? Output::Kind::tar : Output::Kind::folder;
    output.dest = said;
    return output;
  }
  std::map<std::string, std::string> values;
  for (const auto& field : fields) {
    const auto equals = field.find('=');
    if (equals == std::string::npos) throw wrong(said, "`" + printable(field) + "` is not KEY=VALUE", known_types());
    const std::string key = lower(trim(field.substr(0, equals)));
    if (!values.emplace(key, field.substr(equals + 1)).second) throw wrong(said, printable(key) + " is said twice");
  }
  const auto named = values.find("type");
  if (named == values.end()) throw wrong(said, "says no type", known_types());
  const std::string name = named->second;
  const auto type = types().find(name);
  if (type == types().end()) throw wrong(said, "there is no type " + printable(name), known_types());
  values.erase(named);
  output.kind = type->second.kind;
  for (const auto& [key, value] : values) {
    const auto& keys = type->second.keys;
    if (!keys.contains(key))
      throw wrong(said, "type=" + name + " knows no " + printable(key),
                  keys.empty() ? "" : "it knows " + join({keys.begin(), keys.end()}, ", "));
    if (value.empty()) throw wrong(said, printable(key) + " is empty");
    set(output, key, value);
  }
  if (name == "registry") output.push = true;
  if (name == "docker" && output.dest.empty()) output.kind = Output::Kind::engine;
  if (output.kind == Output::Kind::folder && (output.dest.empty() || output.dest == "-"))
    throw wrong(said, "type=local wants a folder", "type=local,dest=DIR, or DIR alone");
  if (!output.in_tar && (output.dest.empty() || output.dest == "-"))
    throw wrong(said, "tar=false wants a folder", "type=" + name + ",tar=false,dest=DIR");
  if (output.writes() && output.dest.empty()) output.dest = "-";
  return output;
}

void check_outputs(const std::vector<Output>& outputs) {
  std::set<std::string> taken;
  for (const Output& output : outputs) {
    if (!output.writes()) continue;
    const std::filesystem::path path(output.dest);
    std::error_code none;
    std::string place = output.dest;
    if (place == "-") {
      if (::isatty(STDOUT_FILENO) == 1)
        throw wrong(output.said, "standard output is a terminal", "`>FILE`, or dest=FILE");
    } else {
      place = std::filesystem::weakly_canonical(std::filesystem::absolute(path, none), none).string();
      while (place.size() > 1 && place.ends_with('/')) place.pop_back();
    }
    if (!taken.insert(place).second) throw wrong(output.said, "another --output goes there, too");
    if (place == "-") continue;
    struct stat facts {};
    const bool there = ::stat(output.dest.c_str(), &facts) == 0;
    if (there && S_ISDIR(facts.st_mode) != output.to_folder())
      throw wrong(output.said, S_ISDIR(facts.st_mode) ? "is a folder" : "is no folder");
    if (there && !output.in_tar && !std::filesystem::is_empty(path, none))
      throw wrong(output.said, "is not empty", "a layout is written to a new folder: what is in it is one image's");
    // The nearest that is there is what must be written to.
    std::filesystem::path nearest = std::filesystem::absolute(path, none);
    if (!output.to_folder()) {
      if (there && !S_ISREG(facts.st_mode)) continue;
      nearest = nearest.parent_path();
      if (!std::filesystem::is_directory(nearest, none)) throw wrong(output.said, "its folder is not there");
    }
    while (!std::filesystem::exists(nearest, none) && nearest.has_relative_path()) nearest = nearest.parent_path();
    if (::access(nearest.c_str(), W_OK | X_OK) != 0) {
      const int number = errno;
      const Error error = system_error("cannot be written", number);
      throw wrong(output.said, error.what());
    }
  }
}

void write_output(const Output& output, const Cleared& cleared, Engine& engine, const std::vector<std::string>& names,
                  const std::function<void(const std::string&)>& say) {
  const std::string where = output.dest == "-" ? "standard output" : printable(output.dest);
  try {
    const ImageConfig config = engine.config_of(cleared.handle());
    if (config.id != cleared.id())
      throw Error("engine: the config is not the one that was cleared: expected " + cleared.id() + ", got " +
                  config.id);
    Layers layers(engine, cleared.handle(), config.diff_ids);
    const auto merged = [&] {
      return MergedLayers([&](std::size_t index) { return layers.open(index); }, 0, config.diff_ids.size());
    };
    if (output.kind == Output::Kind::folder) return unpack(merged(), output.dest, say);
    const ImageArchive archive{output.kind == Output::Kind::docker, output.packed,
                               output.names.empty() ? names : output.names};
    if (!output.in_tar) {
      FolderWriter writer(output.dest);
      archive.write(config, layers, writer);
      writer.finish();
      return say("wrote " + where + " (" + human_size(writer.bytes()) + ")");
    }
    std::uint64_t bytes = 0;
    std::optional<MergedLayers> tree;
    if (output.kind == Output::Kind::tar) tree.emplace(merged());  // its errors before the first byte
    NewFile file(output.dest);
    const auto sink = [&](View piece) {
      bytes += piece.size();
      file.write(piece);
    };
    TarWriter writer(sink);
    ToTar to(writer);
    if (tree)
      tell_all(*tree, to);
    else
      archive.write(config, layers, to);
    writer.finish();
    file.finish();
    say("wrote " + where + " (" + human_size(bytes) + ")");
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    throw error.within("output: " + where);
  }
}

}  // namespace imgbuild
