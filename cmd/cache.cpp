// imgbuild cache: what is remembered of images that were audited before.
#include <algorithm>

#include "audit/record_store.hpp"
#include "base/text.hpp"
#include "base/utc.hpp"
#include "session.hpp"

namespace imgbuild {
namespace {

struct Flags {
  unsigned days = 0;
  std::uint64_t megabytes = 0;
  bool all = false;
};

std::unique_ptr<RecordStore> the_store() {
  auto store = RecordStore::open();
  if (!store)
    throw Error("cache: there is no place for it that is yours alone",
                "it lies in $XDG_CACHE_HOME/imgbuild (~/.cache), its key in $XDG_STATE_HOME/imgbuild (~/.local/state)");
  return store;
}

std::string summary(const std::vector<RecordStore::Item>& items) {
  std::uint64_t bytes = 0;
  for (const auto& item : items) bytes += item.bytes;
  return std::to_string(items.size()) + (items.size() == 1 ? " record, " : " records, ") + human_size(bytes);
}

int show() {
  const auto store = the_store();
  const auto items = store->verify();
  for (const auto& item : items)
    put_result(item.name.substr(0, 16) + "  " + utc(item.used, "%Y-%m-%d") + "  " + human_size(item.bytes) +
               (item.good ? "" : "  damaged or foreign, never used") + "\n");
  put_result(summary(items) + " in " + printable(store->folder()) + "\n");
  return 0;
}

int verify() {
  const auto items = the_store()->verify();
  const auto bad = std::count_if(items.begin(), items.end(), [](const auto& item) { return !item.good; });
  put_result(summary(items) + ", " + std::to_string(bad) + " damaged or foreign\n");
  if (bad == 0) return 0;
  say("hint: they are never used; `imgbuild cache prune` removes them");
  return static_cast<int>(Status::failed);
}

int prune(const Flags& flags) {
  const std::int64_t since = flags.days == 0 ? 0 : std::time(nullptr) - std::int64_t{86400} * flags.days;
  const std::uint64_t most = flags.all ? 0 : flags.megabytes == 0 ? UINT64_MAX : flags.megabytes * 1'000'000;
  put_result("removed " + summary(the_store()->prune(since, most)) + "\n");
  return 0;
}

}  // namespace

Work offer_cache(CLI::App& app, Session&) {
  const auto flags = std::make_shared<Flags>();
  app.add_subcommand("show", "each record: when it was last used, how large it is");
  CLI::App* verifies = app.add_subcommand("verify", "are all records ours and whole? exit status 3 where one is not");
  CLI::App* prunes = app.add_subcommand("prune", "remove records that are damaged, old or too much");
  prunes->add_flag("--all", flags->all, "every record");
  prunes->add_option("--days", flags->days, "those not used for so many days")->type_name("N");
  prunes->add_option("--size", flags->megabytes, "the least used, until so many MB are left")->type_name("MB");
  app.require_subcommand(1);
  app.footer(
      "\nA record says what was found in a layer, never a value of it, or is an image's config or manifest in which\n"
      "nothing was found; it is signed with a key that lies elsewhere. `audit` and `build` use it instead of having "
      "the\n"
      "same read or sent again, unless --no-cache.");
  return [flags, verifies, prunes] {
    if (prunes->parsed()) return prune(*flags);
    return verifies->parsed() ? verify() : show();
  };
}

}  // namespace imgbuild
