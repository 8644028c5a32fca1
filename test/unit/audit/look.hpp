#pragma once
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "../whole.hpp"
#include "audit/audit.hpp"
#include "audit/content.hpp"
#include "base/fd.hpp"
#include "base/temp_dir.hpp"
#include "base/text.hpp"
#include "image_text.hpp"

namespace imgbuild::test {

/// What an audit says of one file's content: as it would lie in a layer, and as it would stream by.
struct Look {
  Sightings record;
  Vault found;

  /// `left`: how much nested content it may still hold; 0: as much as any file.
  explicit Look(const std::string& content, bool streamed = false, std::size_t piece = std::size_t{1} << 20,
                std::uint64_t left = 0) {
    Buffers buffers;
    const auto scanner = Scanner::builtin();
    Pool pool(2, 16 << 20);
    const Desk desk{*scanner, nullptr, &found, pool, buffers, {}};
    Where where;
    where.record = &record;
    where.path = "srv/file";
    if (left > 0) {
      where.budget = std::make_shared<Budget>(0);
      where.budget->take_bytes((std::uint64_t{1} << 30) - left);
    }
    if (streamed) {
      ContentReader reader(desk, where);
      for (std::size_t at = 0; at < content.size(); at += piece)
        reader.feed({view_of(content).subspan(at, std::min(piece, content.size() - at)), nullptr, false});
      reader.finish();
    } else {
      look_at_whole(desk, where, {view_of(content), nullptr, true});
    }
    pool.drain();
  }
  /// "RULE KIND INSIDE", sorted, each once.
  std::vector<std::string> hits() const {
    std::vector<std::string> all;
    for (const auto& one : record.found)
      if (one.hit.severity >= Severity::medium)
        all.push_back(one.hit.rule->id + " " + name_of(one.kind) + " " + join(one.inside, "!"));
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
  }
  bool finds(const std::string& hit) const {
    const auto all = hits();
    return std::find(all.begin(), all.end(), hit) != all.end();
  }
  std::vector<std::string> gaps() const {
    std::vector<std::string> all;
    for (const auto& gap : record.gaps) all.push_back(gap.path + ": " + gap.why);
    return all;
  }
  bool is_clean() const { return record.found.empty() && record.gaps.empty(); }
};

inline std::string shell(const TempDir& folder, const std::string& command) {
  return piped("cd " + folder.path() +
                   " && export HOME=/nonexistent GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a "
                   "GIT_COMMITTER_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_EMAIL=a@b; " +
                   command,
               "");
}

inline std::string key() { return filled("@KEY@"); }

/// A token that its own digits surround no more than a length does.
inline const std::string token = whole("ghp_{{}}mOq0wqkuMwQWB7Dbq5{{}}GcZTMsG4V9DG0aHl5z");

inline void put(const TempDir& folder, const std::string& name, const std::string& content) {
  write_file(folder.path() + "/" + name, content);
}

}  // namespace imgbuild::test
