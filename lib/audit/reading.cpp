#include "audit/reading.hpp"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "audit/document.hpp"
#include "audit/verdict.hpp"
#include "base/interrupt.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t most_in_flight = std::size_t{4} << 20;
constexpr std::size_t slice_size = std::size_t{1} << 20;

unsigned threads_of(const AuditOptions& options) {
  return options.threads != 0 ? options.threads : std::max(std::thread::hardware_concurrency(), 1U);
}

/// Gives pages of a mapped file back; what is looked at again comes back from the file.
void give_back(View bytes) {
  static const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<std::uintptr_t>(bytes.data()) + page - 1) / page * page;
  const auto end = (reinterpret_cast<std::uintptr_t>(bytes.data()) + bytes.size()) / page * page;
  if (end > begin) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

/// Is it a blob, and rightly called so? An archive's own tables are no document of an image.
bool names_digest(std::string_view name, std::string_view digest) {
  constexpr std::string_view folder = "blobs/sha256/", kind = "sha256:";
  return name.starts_with(folder) && digest.starts_with(kind) &&
         name.substr(folder.size()) == digest.substr(kind.size());
}

}  // namespace

Workshop::Workshop(const AuditOptions& options)
    : options_(options),
      cache_(options.cache ? LayerCache::open(*options.scanner) : nullptr),
      documents_(options.cache ? DocumentCache::open() : nullptr),
      pool_(threads_of(options), most_in_flight) {}

Member Workshop::known(const std::string& digest) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = known_.find(digest); found != known_.end() && !found->second->cached) return found->second;
  }
  return options_.values == nullptr ? known_before(digest) : nullptr;
}

Member Workshop::known_before(const std::string& digest) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = known_.find(digest); found != known_.end()) return found->second;
  }
  if (!cache_) return nullptr;
  Member layer = cache_->find(digest, options_.policy);
  if (!layer) return nullptr;
  const std::lock_guard lock(mutex_);
  return known_.emplace(digest, std::move(layer)).first->second;
}

void Workshop::remember(const Member& layer) {
  if (cache_) cache_->keep(*layer);
}

void Workshop::remember(const std::string& digest, const std::string& text, bool clean) {
  if (!documents_) return;
  if (!clean)
    documents_->forget(digest);
  else if (options_.values == nullptr)  // a build's weak secrets are not looked for
    documents_->keep(digest, text);
}

std::optional<std::string> Workshop::remembered(const std::string& digest) const {
  return documents_ ? documents_->find(digest) : std::nullopt;
}

void Workshop::keep(const Member& member, const std::string& identity) {
  if (member->type != MemberRecord::Type::layer || !member->failure.empty()) return;
  const std::lock_guard lock(mutex_);
  known_.emplace(member->digest, member);
  if (!identity.empty()) files_.emplace(identity, member->digest);
}

bool Workshop::same_file(const std::string& identity, const std::string& digest) {
  const std::lock_guard lock(mutex_);
  return !identity.empty() && files_.count({identity, digest}) > 0;
}

Reading::Reading(Workshop& workshop, std::string source, bool mapped)
    : workshop_(workshop),
      options_(workshop.options()),
      desk_{*options_.scanner, options_.values, options_.found, workshop.pool(), workshop.buffers(), {}},
      outside_(std::make_shared<MemberRecord>()) {
  options_.source = std::move(source);
  if (mapped) desk_.release = give_back;
}

Reading::~Reading() { pool().abandon(); }

void Reading::hold(const Member& member) {
  const std::lock_guard lock(mutex_);
  held_.push_back(member);
}

void Reading::progress(std::uint64_t bytes) {
  if (options_.progress) options_.progress(bytes);
}

Member Reading::read(const std::string& name, View mapped, Location::Kind kind) {
  MemberReader reader(desk_, name, kind);
  hold(reader.member());
  for (View left = mapped; !left.empty();) {
    const View slice = left.first(std::min(left.size(), slice_size));
    left = left.subspan(slice.size());
    const Owner resident(slice.data(), [slice](const void*) { give_back(slice); });
    reader.feed({slice, resident, true});
    progress(slice.size());
  }
  return reader.finish();
}

Member Reading::read(const std::string& name, Source& source, Location::Kind kind) {
  MemberReader reader(desk_, name, kind);
  hold(reader.member());
  std::string failure;
  try {
    lasting_pieces(source, workshop_.buffers(), [&](const Piece& piece) {
      reader.feed(piece);
      progress(piece.bytes.size());
    });
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    failure = error.what();
  }
  Member member = reader.finish();
  if (failure.empty()) return member;
  member->failure = failure;
  member->digest.clear();  // of what there should be nobody knows
  return member;
}

std::vector<Audit> Reading::decide(std::vector<Subject> subjects) {
  pool().drain();
  std::set<const MemberRecord*> looked_at;
  const auto look = [&](const Member& member) {
    if (member->type != MemberRecord::Type::document || !looked_at.insert(member.get()).second) return;
    hold(member);
    const bool legacy = member->name.ends_with("/json");
    look_at_document(desk_, member->record, legacy ? Location::Kind::config : member->kind, member->name, member->text);
  };
  std::vector<Member> configs;
  for (Subject& subject : subjects) {
    subject.outline.damage.insert(subject.outline.damage.end(), damage_.begin(), damage_.end());
    configs.push_back(std::make_shared<MemberRecord>());
    hold(configs.back());
    const std::string& raw = subject.outline.config.raw;
    if (!raw.empty()) look_at_document(desk_, configs.back()->record, Location::Kind::config, "", raw);
    std::vector<Member>& beside = subject.beside;
    for (const Member& member : subject.outline.own)
      if (raw.empty() || member->text != raw) beside.push_back(member);
    beside.push_back(outside_);
    for (const Member& member : beside) look(member);
  }
  pool().drain();
  std::map<std::string, std::pair<const std::string*, bool>> documents;  // by digest; is nothing found in it?
  const auto told = [&](const std::string& digest, const std::string& text, const Sightings& record) {
    auto& document = documents.try_emplace(digest, &text, true).first->second;
    document.second = document.second && record.found.empty();
  };
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    const ImageConfig& config = subjects[i].outline.config;
    for (const Member& layer : subjects[i].outline.layers) workshop_.remember(layer);
    if (!config.raw.empty()) told(config.id, config.raw, configs[i]->record);
    for (const Member& member : subjects[i].beside)
      if (member->type == MemberRecord::Type::document && names_digest(member->name, member->digest))
        told(member->digest, member->text, member->record);
  }
  for (const auto& [digest, document] : documents) workshop_.remember(digest, *document.first, document.second);
  // The memory that it took to look: what decides takes 16 MiB a thread for the identities of what was found.
  workshop_.buffers().drop();
  ::malloc_trim(0);
  std::vector<Audit> audits;
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    std::vector<const MemberRecord*> beside;
    std::set<const MemberRecord*> seen;
    for (const Member& member : subjects[i].beside)
      if (seen.insert(member.get()).second) beside.push_back(member.get());
    audits.push_back(AuditDesk::decide(subjects[i].outline, configs[i]->record, beside, options_, pool()));
  }
  return audits;
}

void side_by_side(std::size_t count, const std::function<bool(std::size_t)>& work) {
  constexpr std::size_t most_readers = 4;
  std::atomic<std::size_t> next{0};
  std::atomic<bool> stop{false};
  const auto read = [&] {
    for (std::size_t i = next++; i < count && !stop; i = next++)
      if (!work(i)) stop = true;
  };
  std::vector<std::thread> readers;
  for (std::size_t i = 1; i < std::min(most_readers, count); ++i) readers.emplace_back(read);
  read();
  for (auto& reader : readers) reader.join();
  interrupt::check();
}

void lasting_pieces(Source& source, Buffers& buffers, const std::function<void(const Piece&)>& take) {
  if (source.stable()) {
    for (View piece = source.next(); !piece.empty(); piece = source.next()) take({piece, nullptr, true});
    return;
  }
  // What the source lends goes with its next piece: copied into buffers that last as long as they are looked at.
  std::shared_ptr<std::uint8_t[]> buffer = buffers.take();
  std::size_t filled = 0;
  for (View piece = source.next(); !piece.empty(); piece = source.next()) {
    interrupt::check();
    while (!piece.empty()) {
      const std::size_t taken = std::min(piece.size(), Buffers::size - filled);
      std::copy_n(piece.begin(), taken, buffer.get() + filled);
      filled += taken;
      piece = piece.subspan(taken);
      if (filled < Buffers::size) continue;
      take({View(buffer.get(), filled), buffer, false});
      buffer = buffers.take();
      filled = 0;
    }
  }
  if (filled > 0) take({View(buffer.get(), filled), buffer, false});
}

Member document_member(const Document& document) {
  auto member = std::make_shared<MemberRecord>();
  member->type = MemberRecord::Type::document;
  member->name = document.name;
  member->digest = document.digest;
  member->text = document.text;
  member->bytes = member->stored = document.text.size();
  return member;
}

}  // namespace imgbuild
