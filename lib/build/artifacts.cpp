// The builder's files as a layer for another image. What a relay in the builder tells of them goes through a reader
// into our own writer, piece by piece, and that twice: first to know the layer's digest and size, which a config and a
// tar's header want beforehand, then to be loaded. Nothing else runs in the builder any more, so that both are the same
// (a script that put a program of its own in the relay's place has the engine refuse the layer); and what the script
// made, which no audit has seen yet, is on no disk of this machine.
//
// A layer's folder hides what the image has there, mode and all, and one over a link replaces it (/bin on a merged
// /usr). So each folder on the way that may be in the image is looked up there: what is there is told as it is, links
// are followed, and only below folders that are new nothing needs to be asked.
#include "build/artifacts.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>

#include "base/made_source.hpp"
#include "base/text.hpp"
#include "engine/layers.hpp"
#include "relay/files.hpp"
#include "relay/session.hpp"
#include "tar/reader.hpp"
#include "tar/writer.hpp"

namespace imgbuild {
namespace {

using Type = TarEntry::Type;
constexpr std::size_t first_wild(std::string_view path) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '\\')
      ++i;
    else if (path[i] == '*' || path[i] == '?' || path[i] == '[')
      return i;
  }
  return std::string_view::npos;
}

std::string unquoted(std::string_view path) {
  std::string out;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '\\' && i + 1 < path.size()) ++i;
    out += path[i];
  }
  return out;
}

std::string joined(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + "/" + name;
}
std::string name_in(const std::string& path) { return path.substr(path.rfind('/') + 1); }
std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

// Without "." and empty parts. Throws on "..".
std::string plain(const std::string& path, const std::string& said) {
  std::string out;
  for (const std::string& part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") throw usage_error("--artifact: " + printable(said) + ": `..` leads nowhere here");
    out = joined(out, part);
  }
  return out;
}

// As plain(), with ".." resolved: for what a link of the image says.
std::string resolved(const std::string& path) {
  std::string out;
  for (const std::string& part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    out = part == ".." ? folder_of(out) : joined(out, part);
  }
  return out;
}

// The image that the artefacts go to, as far as it was asked.
class Target {
 public:
  Target(Engine& engine, std::string container) : engine_(engine), container_(std::move(container)) {}
  struct Seen {
    std::optional<TarEntry> entry;  // nothing: it has none
    std::string leads_to;           // of a link
  };
  const Seen& at(const std::string& path) {
    if (const auto known = seen_.find(path); known != seen_.end()) return known->second;
    if (engine_.facts().kind == EngineFacts::Kind::podman) {
      if (seen_.empty()) look_at_all();
      return seen_[path];
    }
    Seen seen;
    if (ContainerFiles files = engine_.files(container_, "/" + path); files.tar) {
      seen.entry = first_of(*files.tar);
      if (files.leads_to.starts_with('/'))
        seen.leads_to = resolved(files.leads_to);
      else if (seen.entry && seen.entry->type == Type::symlink)
        seen.leads_to = target_of(*seen.entry, path);
    }
    return seen_.emplace(path, std::move(seen)).first->second;
  }

 private:
  static std::string target_of(const TarEntry& link, const std::string& path) {
    return resolved(link.link.starts_with('/') ? link.link : folder_of(path) + "/" + link.link);
  }

  // Podman's archives of single paths call everything root's, lose the set-user-id bit and are empty for a volume
  // (4.3); what it exports is right.
  void look_at_all() {
    struct All : TarVisitor {
      explicit All(std::map<std::string, Seen>& seen) : into(seen) {}
      void entry(const TarEntry& entry) override {
        std::string path = entry.path;
        while (path.ends_with('/')) path.pop_back();
        Seen& seen = into[path];
        seen.entry = entry;
        if (entry.type == Type::symlink) seen.leads_to = target_of(entry, path);
      }
      void data(View) override {}
      void end_entry() override {}
      void stray(View, const char*) override {}
      std::map<std::string, Seen>& into;
    } all(seen_);
    const auto tar = engine_.all_files(container_);
    read_tar(*tar, all);
    seen_[""];  // looked at, whatever is in it
  }

  struct Enough {};
  static std::optional<TarEntry> first_of(Source& tar) {
    struct First : TarVisitor {
      void entry(const TarEntry& entry) override {
        found = entry;
        throw Enough();
      }
      void data(View) override {}
      void end_entry() override {}
      void stray(View, const char*) override {}
      std::optional<TarEntry> found;
    } first;
    try {
      read_tar(tar, first);
    } catch (const Enough&) {
    }
    return std::move(first.found);
  }

  Engine& engine_;
  std::string container_;
  std::map<std::string, Seen> seen_;
};

// One reading of the builder, as a layer.
class Packing : public MadeSource, public TarVisitor {
 public:
  Packing(const std::vector<Artifact>& artifacts, BuilderFiles builder, std::shared_ptr<Target> target,
          std::time_t created)
      : builder_(std::move(builder)),
        target_(std::move(target)),
        created_(created),
        writer_([this](View bytes) { make(bytes); }) {
    for (const Artifact& each : artifacts) jobs_.push_back(job_of(each));
  }

 private:
  // A folder in the layer. `old`: the image has it too.
  struct Place {
    std::string path;
    bool old = true;
  };
  struct Job {
    std::string said;
    std::string path;     // in the builder, absolute
    std::string pattern;  // below it; empty: all of it
    std::string dest;     // of what `path` is; with a pattern, the folder of what it finds
    bool found = false;
  };

  static Job job_of(const Artifact& artifact) {
    Job job{artifact.said, {}, {}, artifact.dest, false};
    const std::size_t wild = first_wild(artifact.path);
    if (wild == std::string_view::npos) {
      job.path = unquoted(artifact.path);
      if (artifact.into) job.dest = joined(job.dest, name_in(job.path));
      return job;
    }
    const std::size_t slash = artifact.path.rfind('/', wild);
    job.path = unquoted(artifact.path.substr(0, slash));
    if (job.path.empty()) job.path = "/";
    job.pattern = artifact.path.substr(slash + 1);
    return job;
  }

  void step() override {
    try {
      go_on();
    } catch (const Interrupted&) {
      throw;
    } catch (const Error& error) {
      throw job_.said.empty() ? error : error.within("artifact " + printable(job_.said));
    }
  }

  void go_on() {
    if (reader_) {
      const View piece = stream_->next();
      if (!piece.empty()) return reader_->feed(piece);
      reader_->finish();
      reader_.reset();
      stream_.reset();
      if (!job_.found) throw Error(job_.pattern.empty() ? "the builder has none" : "nothing in the builder matches");
    } else if (!jobs_.empty()) {
      job_ = std::move(jobs_.front());
      jobs_.pop_front();
      begin();
    } else {
      job_ = {};
      writer_.finish();
      over_ = true;
    }
  }

  void begin() {
    // The folder of a glob may be a link (/lib of a merged /usr).
    stream_ = builder_(job_.pattern.empty() || job_.path == "/" ? job_.path : job_.path + "/");
    if (!stream_)
      throw Error(job_.pattern.empty() ? "the builder has none" : "the builder has no folder " + printable(job_.path));
    reader_ = std::make_unique<TarReader>(*this);
    folders_.clear();
    files_.clear();
    if (!job_.pattern.empty()) folders_[""] = folder(job_.dest);
  }

  // TarVisitor: what the builder has.
  void entry(const TarEntry& from) override {
    writing_ = false;
    if (from.type == Type::other) throw Error(printable(from.path) + ": of an unknown kind");
    std::string path = from.path;
    while (path.ends_with('/')) path.pop_back();
    // The first part is the name of what was asked for.
    const std::size_t slash = job_.path == "/" ? std::string::npos : path.find('/');
    std::string below = job_.path == "/" ? path : slash == std::string::npos ? "" : path.substr(slash + 1);
    if (below == ".") below.clear();
    std::string root;  // what the artefact begins with
    if (!job_.pattern.empty()) {
      if (below.empty()) return;
      const auto matched = match(below);
      if (!matched) return;
      root = *matched;
    }
    job_.found = true;
    if (below.empty() && job_.dest.empty() && from.type == Type::directory) {
      folders_[""] = Place();
      return;
    }
    Place parent;
    std::string name;
    if (below == root) {
      parent = job_.pattern.empty() ? folder(folder_of(job_.dest)) : folders_.at("");
      name = job_.pattern.empty() ? name_in(job_.dest) : name_in(below);
    } else {
      const auto known = folders_.find(folder_of(below));
      if (known == folders_.end()) throw Error(printable(below) + ": came before its folder");
      parent = known->second;
      name = name_in(below);
    }
    if (from.type == Type::directory)
      folders_[below] = subfolder(parent, name, &from);
    else
      put(parent, name, from);
  }
  void data(View piece) override {
    if (writing_) writer_.data(piece);
  }
  void end_entry() override { writing_ = false; }
  void stray(View, const char*) override {}

  // The leading part of the path that the pattern takes.
  std::optional<std::string> match(const std::string& below) const {
    for (std::size_t end = below.find('/'); true; end = below.find('/', end + 1)) {
      const std::string lead = below.substr(0, end);
      if (glob_matches(job_.pattern, lead)) return lead;
      if (end == std::string::npos) return std::nullopt;
    }
  }

  Place folder(const std::string& path, int links = 0) {
    Place at;
    if (path.empty()) return at;
    for (const std::string& part : split(path, '/')) at = subfolder(at, part, nullptr, links);
    return at;
  }

  // The folder `name` in `parent`: the image's own, else one like `like`.
  Place subfolder(const Place& parent, const std::string& name, const TarEntry* like, int links = 0) {
    const std::string path = joined(parent.path, name);
    check_name(name, path);
    if (const auto known = placed_.find(path); known != placed_.end()) {
      if (known->second == Placed::file) throw Error("/" + printable(path) + " is no folder: it was put there before");
      return {path, known->second == Placed::old_folder};
    }
    TarEntry made;
    made.mode = like != nullptr ? like->mode : 0755;
    made.mtime = created_;
    if (like != nullptr) made = *like;
    bool old = false;
    if (parent.old) {
      const Target::Seen& seen = target_->at(path);
      // An engine that follows links itself tells so by another path.
      if (seen.entry && !seen.leads_to.empty() && seen.leads_to != path) {
        if (links >= 40) throw Error("/" + printable(path) + ": links lead round and round in the image");
        return folder(seen.leads_to, links + 1);
      }
      if (seen.entry && seen.entry->type != Type::directory)
        throw Error("/" + printable(path) + " is no folder in the image");
      old = seen.entry.has_value();
      if (old) made = *seen.entry;
    }
    made.type = Type::directory;
    write(made, path);
    placed_[path] = old ? Placed::old_folder : Placed::folder;
    return {path, old};
  }

  void put(const Place& parent, const std::string& name, TarEntry entry) {
    const std::string path = joined(parent.path, name);
    check_name(name, path);
    if (placed_.contains(path)) throw Error("something else was put at /" + printable(path) + " before");
    if (entry.type == Type::character || entry.type == Type::block)
      throw Error(printable(entry.path) + " is a device: it does not ship");
    if (parent.old) {
      const auto& seen = target_->at(path);
      if (seen.entry && seen.entry->type == Type::directory && (seen.leads_to.empty() || seen.leads_to == path))
        throw Error("/" + printable(path) + " is a folder in the image", "a DEST that ends in / is put into it");
    }
    if (entry.type == Type::hard_link) {
      const auto target = files_.find(entry.link);
      if (target == files_.end()) {
        // What it is another name of does not come along: its bytes do, once they are asked for.
        const std::string self = entry.path;
        const std::size_t slash = self.find('/');
        const std::string below = job_.path == "/" ? self : slash == std::string::npos ? "" : self.substr(slash + 1);
        jobs_.push_front({job_.said, joined(job_.path == "/" ? "" : job_.path, below), {}, path, false});
        return;
      }
      entry.link = target->second;
    }
    if (entry.type == Type::file) files_[entry.path] = path;
    writing_ = entry.type == Type::file;
    write(std::move(entry), path);
    placed_[path] = Placed::file;
  }

  static void check_name(const std::string& name, const std::string& path) {
    if (name.starts_with(".wh."))
      throw Error("/" + printable(path) + ": in a layer a name that begins with .wh. deletes something");
    if (name.empty() || name == "." || name == "..") throw Error("/" + printable(path) + ": no name");
  }

  void write(TarEntry entry, const std::string& path) {
    entry.path = path;
    entry.mtime = std::clamp<std::int64_t>(entry.mtime, 0, created_);
    entry.user.clear();
    entry.group.clear();
    entry.pax.clear();
    std::sort(entry.xattrs.begin(), entry.xattrs.end());
    writer_.entry(entry);
  }

  BuilderFiles builder_;
  std::shared_ptr<Target> target_;
  std::time_t created_;
  TarWriter writer_;
  std::deque<Job> jobs_;
  Job job_;
  std::unique_ptr<Source> stream_;
  std::unique_ptr<TarReader> reader_;
  std::map<std::string, Place> folders_;      // of this job, by their path below it
  std::map<std::string, std::string> files_;  // of this job: the builder's name, ours
  enum class Placed : std::uint8_t { file, folder, old_folder };
  std::map<std::string, Placed> placed_;
  bool writing_ = false;
};

}  // namespace

Artifact parse_artifact(const std::string& said) {
  const auto wrong = [&](const std::string& why, const std::string& hint = "--artifact PATH[:DEST]") {
    return usage_error("--artifact: " + printable(said) + ": " + why, hint);
  };
  Artifact artifact;
  artifact.said = said;
  const std::size_t colon = said.find(":/");
  const std::string path = said.substr(0, colon);
  std::string dest = colon == std::string::npos ? "" : said.substr(colon + 1);
  if (said.find('\0') != std::string::npos) throw wrong("holds a NUL");
  if (colon == std::string::npos && said.find(':') != std::string::npos) throw wrong("DEST must be an absolute path");
  const bool absolute = path.starts_with('/');
  const std::string below = plain(path, said);
  if (path.empty() || (absolute && below.empty())) throw wrong("no path");
  const std::string home = std::string(builder_tmpfs).substr(1), context = std::string(builder_context).substr(1);
  if ((below == home || below.starts_with(home + "/")) && absolute && below != context &&
      !below.starts_with(context + "/"))
    throw wrong("what the build was lent does not ship");
  if (dest.empty() && !absolute)
    throw wrong("where does it go?", "a path in the context needs a DEST: --artifact " + printable(below) + ":/DEST");
  artifact.path = absolute ? "/" + below : std::string(builder_context) + (below.empty() ? "" : "/" + below);
  const bool wild = first_wild(artifact.path) != std::string_view::npos;
  if (dest.empty()) {
    // Where it was: of a glob, the folder of what it finds.
    if (wild && below.find('/', first_wild(below)) != std::string::npos)
      throw wrong("where does it go?", "a glob of several folders needs a DEST");
    artifact.dest = wild ? folder_of(below) : unquoted(below);
    artifact.dest = unquoted(artifact.dest);
    artifact.into = wild;
    return artifact;
  }
  artifact.into = !below.empty() && (wild || dest.ends_with('/'));
  artifact.dest = plain(dest, said);
  return artifact;
}

BuilderFiles files_of_builder(Engine& engine, const std::string& builder, const std::vector<std::string>& volumes) {
  struct Told : Source {
    Told(std::unique_ptr<Exec> over, const std::string& path, const std::vector<std::string>& within)
        : exec(std::move(over)), files(*exec, path, within) {}
    View next() override { return files.next(); }
    std::unique_ptr<Exec> exec;
    RelayFiles files;
  };
  std::vector<std::string> within = {"/", builder_context};
  within.insert(within.end(), volumes.begin(), volumes.end());
  return [=, &engine](const std::string& path) -> std::unique_ptr<Source> {
    auto told = std::make_unique<Told>(engine.exec(builder, {relay_files_command(builder_tmpfs), "0"}), path, within);
    if (!told->files.found()) return nullptr;
    return told;
  };
}

NewLayer pack_artifacts(const std::vector<Artifact>& artifacts, const BuilderFiles& files, Engine& engine,
                        const std::string& target, std::time_t created) {
  const auto image = std::make_shared<Target>(engine, target);
  NewLayer layer;
  layer.open = [=]() -> std::unique_ptr<Source> { return std::make_unique<Packing>(artifacts, files, image, created); };
  measure(layer);
  return layer;
}

}  // namespace imgbuild
