// The images of a store (an OCI layout, a registry): first its manifests, which say what there is to read, then the
// blobs, side by side and each once, then each image held against its manifest.
#include <algorithm>
#include <exception>

#include "audit/reading.hpp"
#include "base/interrupt.hpp"
#include "crypto/digest.hpp"

namespace imgbuild {
namespace {

/// A blob to read, and what came of it.
struct Wanted {
  Descriptor descriptor;
  Location::Kind kind = Location::Kind::annotation;
  bool before = false;  ///< an earlier run will do
  Member member;
  std::exception_ptr failure;
};

class Blobs {
 public:
  Blobs(Reading& reading, ImageStore& store, std::size_t from_cache)
      : reading_(reading), store_(store), from_cache_(from_cache) {}

  void want(const ImageParts& image) {
    const auto kind = image.attestation ? Location::Kind::attestation : Location::Kind::annotation;
    if (!image.manifest.config.digest.empty()) want(image.manifest.config, kind);
    for (std::size_t i = 0; i < image.manifest.layers.size(); ++i)
      want(image.manifest.layers[i], kind, !image.attestation && i < from_cache_);
  }

  void want(const Descriptor& descriptor, Location::Kind kind, bool before = false) {
    if (at_.emplace(descriptor.digest, wanted_.size()).second)
      wanted_.push_back({descriptor, kind, before, nullptr, nullptr});
  }

  /// Readers wait for a disk or a network, and read; the pool looks.
  void read_all() {
    side_by_side(wanted_.size(), [this](std::size_t i) {
      try {
        wanted_[i].member = read(wanted_[i]);
      } catch (...) {
        wanted_[i].failure = std::current_exception();
        return interrupt::pending() == 0;
      }
      return true;
    });
  }

  Member lookup(const Descriptor& descriptor) const {
    const Wanted& wanted = wanted_[at_.at(descriptor.digest)];
    if (wanted.failure) {
      try {
        std::rethrow_exception(wanted.failure);
      } catch (const Interrupted&) {
        throw;
      } catch (const Error& error) {
        throw error.within(descriptor.digest);
      }
    }
    return wanted.member;
  }

  /// The same of a blob that lies there; where it could not be read, a member that says so.
  Member found(const Descriptor& descriptor) const {
    Member unread = std::make_shared<MemberRecord>();
    unread->name = descriptor.path();
    try {
      if (Member member = lookup(descriptor)) return member;
      unread->failure = "is missing";
    } catch (const Interrupted&) {
      throw;
    } catch (const Error& error) {
      unread->failure = error.what();
    }
    return unread;
  }

 private:
  Member read(const Wanted& wanted) {
    const Descriptor& descriptor = wanted.descriptor;
    Workshop& workshop = reading_.workshop();
    Member known = wanted.before ? workshop.known_before(descriptor.digest) : workshop.known(descriptor.digest);
    if (known && !store_.local()) return known;
    auto blob = store_.blob(descriptor);
    if (!blob) return nullptr;
    // A file's name is a claim: its bytes are hashed at least, unless it is the very file that was read.
    if (known && !blob->stream &&
        (workshop.same_file(blob->identity, descriptor.digest) || sha256_digest(blob->mapped) == descriptor.digest))
      return known;
    const std::string name = descriptor.path();
    Member member =
        blob->stream ? reading_.read(name, *blob->stream, wanted.kind) : reading_.read(name, blob->mapped, wanted.kind);
    if (member->digest == descriptor.digest) workshop.keep(member, blob->identity);
    return member;
  }

  Reading& reading_;
  ImageStore& store_;
  const std::size_t from_cache_;
  std::vector<Wanted> wanted_;
  std::map<std::string, std::size_t> at_;
};

}  // namespace

std::vector<Audit> read_images(Reading& reading, ImageStore& store, const Choice& choice, std::vector<Member> beside,
                               std::size_t from_cache) {
  const ImageSet set = choose_what_is_there(store, choice);
  Blobs blobs(reading, store, from_cache);
  for (const ImageParts& image : set.images) blobs.want(image);
  for (const ImageParts& attestation : set.attestations) blobs.want(attestation);
  // All of a layout was asked for: what its indexes forgot is in it, too.
  std::vector<Descriptor> orphans;
  if (choice.reference.empty()) orphans = orphaned_blobs(store, set);
  for (const Descriptor& orphan : orphans) blobs.want(orphan, Location::Kind::annotation);
  blobs.read_all();
  const Lookup lookup = [&](const Descriptor& descriptor) { return blobs.lookup(descriptor); };
  for (const Document& index : set.indexes) beside.push_back(document_member(index));
  std::vector<Reading::Subject> subjects = subjects_of(set, lookup, beside);
  for (const Descriptor& orphan : orphans)
    for (std::size_t i = first_with_orphans(set); i < subjects.size(); ++i)
      subjects[i].beside.push_back(blobs.found(orphan));
  return reading.decide(std::move(subjects));
}

std::size_t first_with_orphans(const ImageSet& set) {
  const bool damaged =
      std::any_of(set.damaged.begin(), set.damaged.end(), [](const auto& document) { return !document.attestation; });
  return damaged ? set.images.size() : 0;
}

std::vector<Reading::Subject> subjects_of(const ImageSet& set, const Lookup& lookup,
                                          const std::vector<Member>& beside) {
  std::vector<Reading::Subject> subjects;
  for (const ImageParts& image : set.images) subjects.push_back({outline_of(image, lookup), beside});
  // A manifest that cannot be read: an image of which nothing else is known.
  for (const DamagedDocument& document : set.damaged) {
    if (document.attestation && !subjects.empty()) continue;
    subjects.push_back({{}, beside});
    subjects.back().outline.damage.push_back(damage_of(-1, document.name, document.why));
  }
  for (Reading::Subject& subject : subjects) subject.outline.left_out = set.left_out;
  for (const ImageParts& attestation : set.attestations) {
    const Outline parts = outline_of(attestation, lookup);
    const auto described = [&](const ImageParts& image) { return image.document.digest == attestation.about; };
    const bool known = std::any_of(set.images.begin(), set.images.end(), described);
    for (std::size_t i = 0; i < subjects.size(); ++i)
      if (!known || (i < set.images.size() && described(set.images[i]))) {
        subjects[i].beside.insert(subjects[i].beside.end(), parts.own.begin(), parts.own.end());
        auto& damage = subjects[i].outline.damage;
        damage.insert(damage.end(), parts.damage.begin(), parts.damage.end());
      }
  }
  for (const DamagedDocument& document : set.damaged)
    for (std::size_t i = 0; document.attestation && i < set.images.size(); ++i)
      subjects[i].outline.damage.push_back(damage_of(-1, document.name, document.why));
  return subjects;
}

}  // namespace imgbuild
