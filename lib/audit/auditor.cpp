#include <sys/stat.h>

#include "audit/audit.hpp"
#include "audit/reading.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "image/oci_layout.hpp"

namespace imgbuild {
namespace {

Choice for_platform(const std::string& platform) {
  Choice choice;
  choice.platform = platform;
  choice.all_platforms = platform.empty();
  return choice;
}

}  // namespace

Auditor::Auditor(const AuditOptions& options) : workshop_(std::make_unique<Workshop>(options)) {}
Auditor::~Auditor() = default;

std::vector<Audit> Auditor::archive(Source& archive, const std::string& source, const std::string& platform) {
  Reading reading(*workshop_, source, false);
  return read_archive_stream(reading, archive, for_platform(platform), false);
}

std::vector<Audit> Auditor::archive_file(const std::string& path, const std::string& source,
                                         const std::string& platform) {
  return read_archive_file(*workshop_, source, path, for_platform(platform), false);
}

std::vector<Audit> Auditor::oci(const std::string& path, const std::string& source, const Choice& choice) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) throw system_error(path, errno);
  if (!S_ISDIR(facts.st_mode)) return read_archive_file(*workshop_, source, path, choice, true);
  try {
    OciFolder store(path);
    Reading reading(*workshop_, source, true);
    std::vector<Member> beside;
    for (const std::string& name : store.beside()) beside.push_back(reading.read(name, store.content(name)));
    return read_images(reading, store, choice, std::move(beside));
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    throw error.within(printable(path));
  }
}

std::vector<Audit> Auditor::images(ImageStore& store, const std::string& source, const Choice& choice,
                                   std::size_t from_cache) {
  Reading reading(*workshop_, source, true);
  return read_images(reading, store, choice, {}, from_cache);
}

std::optional<Audit> Auditor::stored(const ImageConfig& config, const std::string& source, const LayerOpener& open,
                                     std::size_t from_cache) {
  Reading reading(*workshop_, source, false);
  return read_stored(reading, config, open, from_cache);
}

std::optional<std::string> Auditor::remembered(const std::string& digest) const {
  return workshop_->remembered(digest);
}

Audit Auditor::tree(const std::string& path, const std::string& source) {
  Reading reading(*workshop_, source, false);
  return read_tree(reading, path);
}

std::vector<Audit> audit_archive(Source& archive, const AuditOptions& options) {
  return Auditor(options).archive(archive, options.source);
}

std::vector<Audit> audit_archive_file(const std::string& path, const AuditOptions& options) {
  return Auditor(options).archive_file(path, options.source);
}

}  // namespace imgbuild
