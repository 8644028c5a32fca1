#include "engine/content_store.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "base/unix_socket.hpp"
#include "crypto/digest.hpp"
#include "image/json.hpp"

namespace imgbuild {
namespace {

constexpr std::uint64_t most_config = std::uint64_t{8} << 20;
constexpr const char* plugin = "/io.containerd.content.v1.content";

// The process that listens at a unix socket; 0: none that we can see.
pid_t listener_of(const std::string& path) {
  if (path.empty()) return 0;
  try {
    const Fd socket = connect_unix(path);
    ucred peer{};
    socklen_t size = sizeof peer;
    return ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
  } catch (const Error&) {
    return 0;
  }
}

// containerd's root: its flags and its configuration may say anything, but it holds its database open.
std::string root_in_use(const std::string& address) {
  namespace fs = std::filesystem;
  constexpr std::string_view database = "/io.containerd.metadata.v1.bolt/meta.db";
  const pid_t pid = listener_of(address);
  if (pid <= 0) return {};
  std::error_code error;
  for (fs::directory_iterator at("/proc/" + std::to_string(pid) + "/fd", error), end; !error && at != end;
       at.increment(error)) {
    std::error_code none;
    const std::string target = fs::read_symlink(at->path(), none).string();
    if (target.ends_with(database)) return target.substr(0, target.size() - database.size());
  }
  return {};
}

}  // namespace

ContentStore::ContentStore(const std::string& folder, std::string handle)
    : handle_(std::move(handle)), files_(folder) {}

ImageStore::Root ContentStore::root() {
  const Descriptor top = descriptor_of(handle_);
  const auto text = manifest(top);
  if (!text) throw Error(handle_ + " is missing");
  if (const std::string got = sha256_digest(view_of(*text)); got != handle_)
    throw Error(handle_ + ": its bytes are not what names it: they are " + got);
  return {top.path(), *text, false};
}

std::unique_ptr<ImageStore> FetchedContent::find(const std::vector<std::string>& roots, const std::string& handle,
                                                 const std::function<std::unique_ptr<Fetch>()>& open) {
  for (const std::string& root : roots) {
    std::unique_ptr<FetchedContent> store(new FetchedContent(root + plugin, open));
    const Descriptor top = descriptor_of(handle);
    auto text = store->manifest(top);
    if (!text) continue;
    if (const std::string got = sha256_digest(view_of(*text)); got != handle)
      throw Error(handle + ": its bytes are not what names it: they are " + got);
    store->name_ = top.path();
    store->top_ = std::move(*text);
    return store;
  }
  return nullptr;
}

std::optional<std::string> FetchedContent::manifest(const Descriptor& descriptor) {
  const auto fetch = open_();
  return fetch ? fetch_whole(*fetch, folder_, descriptor.path(), most_manifest) : std::nullopt;
}

std::optional<ImageStore::Blob> FetchedContent::blob(const Descriptor& descriptor) {
  auto fetch = open_();
  if (!fetch) return std::nullopt;
  fetch->want(folder_, descriptor.path());
  if (!fetch->begin()) return std::nullopt;
  Blob blob;
  blob.stream = std::make_unique<FetchSource>(std::move(fetch));
  return blob;
}

SavedImage find_kept(ImageStore& store, const std::function<bool(const ImageConfig&)>& wanted) {
  Choice every;
  every.all_platforms = true;
  std::vector<ImageParts> images = choose_images(store, every).images;
  std::erase_if(images, [](const ImageParts& image) { return image.manifest.kind != Manifest::Kind::image; });
  for (const ImageParts& image : images) {
    const Descriptor& descriptor = image.manifest.config;
    auto blob = store.blob(descriptor);
    if (!blob) continue;
    std::string raw(text_of(blob->mapped));
    if (blob->stream)
      for (View piece = blob->stream->next(); !piece.empty() && raw.size() <= most_config; piece = blob->stream->next())
        raw += text_of(piece);
    if (raw.size() > most_config) continue;
    if (sha256_digest(view_of(raw)) != descriptor.digest)
      throw Error("the config is not what the manifest names: expected " + descriptor.digest);
    if (images.size() > 1 && !wanted(parse_config(raw))) continue;
    return {std::move(raw), at(parse_json(image.document.text, "the manifest"), "layers")};
  }
  throw Error("the content store does not have the image's config");
}

std::string containerd_root_in(std::string_view mountinfo) {
  for (const std::string& line : split(std::string(mountinfo), '\n')) {
    const auto fields = split(line, ' ');  // ID PARENT DEVICE ROOT WHERE OPTIONS ... - KIND SOURCE OPTIONS
    if (fields.size() < 7 || fields[4] != "/") continue;
    for (const std::string& option : split(fields.back(), ',')) {
      constexpr std::string_view key = "upperdir=", below = "/io.containerd.snapshotter.v1.";
      if (!option.starts_with(key) || option.find('\\') != std::string::npos) continue;  // escaped: no usual name
      const std::string folder = option.substr(key.size());
      const std::size_t end = folder.find(below);
      if (folder.starts_with('/') && end != std::string::npos) return folder.substr(0, end);
    }
  }
  return {};
}

std::string find_content(const std::string& docker_root, const std::string& address, const std::string& handle) {
  const std::string blob = descriptor_of(handle).path();
  const auto has = [&](const std::string& root) {
    return root.starts_with('/') && ::access((root + plugin + "/" + blob).c_str(), R_OK) == 0;
  };
  for (const std::string& root : {docker_root + "/containerd/daemon", std::string("/var/lib/containerd")})
    if (has(root)) return root + plugin;
  const std::string root = root_in_use(address);
  return has(root) ? root + plugin : "";
}

}  // namespace imgbuild
