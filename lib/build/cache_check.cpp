#include "build/cache_check.hpp"

#include <set>

#include "audit/audit.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "context/spool.hpp"
#include "image/json.hpp"
#include "scan/redactor.hpp"
#include "tar/archive.hpp"
#include "tar/writer.hpp"

namespace imgbuild {

struct CacheCheck::Inside {
  Inside(const Plan& plan, std::shared_ptr<const Scanner> rules, Vault& known, const BuildTalk& words)
      : policy(plan.policy),
        scanner(std::move(rules)),
        vault(known),
        talk(words),
        values(known, {Origin::handed_out, Origin::withheld}) {}

  const Policy& policy;
  const std::shared_ptr<const Scanner> scanner;
  Vault& vault;
  const BuildTalk& talk;
  const ValueMatcher values;
  std::unique_ptr<Spool> spool;  // a layer's tar of what is new
  std::unique_ptr<TarWriter> tar;
};

CacheCheck::CacheCheck(const Plan& plan, std::shared_ptr<const Scanner> scanner, Vault& vault, const BuildTalk& talk)
    : inside_(std::make_unique<Inside>(plan, std::move(scanner), vault, talk)) {}
CacheCheck::~CacheCheck() = default;

bool CacheCheck::needed() const { return !inside_->values.empty(); }

void CacheCheck::file(std::string_view path, std::uint64_t size) {
  Inside& in = *inside_;
  if (!in.tar) {
    in.spool = std::make_unique<Spool>();
    in.tar = std::make_unique<TarWriter>([&in](View piece) { in.spool->write(piece); });
  }
  TarEntry entry;
  entry.path = path;
  entry.size = size;
  entry.mode = 0600;
  in.tar->entry(entry);
}

void CacheCheck::data(View bytes) {
  interrupt::check();
  if (!inside_->tar) throw Error("the builder's relay was disturbed");
  inside_->tar->data(bytes);
}

std::vector<std::string> CacheCheck::to_empty() {
  Inside& in = *inside_;
  if (!in.tar) return {};
  in.tar->finish();
  in.tar.reset();
  const std::string digest = in.spool->digest();
  const Mapping layer(in.spool->take(), "the caches");
  in.spool.reset();
  const Json config = {{"architecture", "any"},
                       {"os", "linux"},
                       {"config", Json::object()},
                       {"rootfs", {{"type", "layers"}, {"diff_ids", {digest}}}}};
  AuditOptions options;
  options.scanner = in.scanner;
  options.values = &in.values;
  options.found = &in.vault;
  options.policy = in.policy;
  const auto open = [&](std::size_t) -> std::unique_ptr<Source> { return std::make_unique<ViewSource>(layer.bytes()); };
  const auto audit = Auditor(options).stored(parse_config(config.dump()), "caches", open, 0);
  interrupt::check();
  if (!audit) throw Error("the caches cannot be looked at");
  std::set<std::string> bad;
  for (const Finding& leak : audit->record().leaks)
    if (leak.rule == vault_rule().id)
      for (const Location& place : leak.locations) {
        const std::string name = place.path.substr(0, place.path.find('/'));
        if (bad.insert(name).second && in.talk.warn)
          in.talk.warn(printable(redact("the cache " + name + " held a secret of this build (" +
                                            place.path.substr(std::min(name.size() + 1, place.path.size())) +
                                            "), and was emptied",
                                        *in.scanner, in.vault)));
      }
  return {bad.begin(), bad.end()};
}

}  // namespace imgbuild
