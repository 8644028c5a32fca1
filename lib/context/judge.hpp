#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/secret.hpp"
#include "scan/scanner.hpp"
#include "verdict/verdict.hpp"

namespace imgbuild {

/// Something recognised in a context, with what was decided about it.
struct Remark {
  enum class Fate { note, allowed, line, file, refuse };
  Fate fate = Fate::refuse;
  const Rule* rule = nullptr;
  Severity severity = Severity::high;
  Location place;
  std::uint32_t last_line = 0;       ///< where the finding ends; place.line is where it begins
  std::uint64_t begin = 0, end = 0;  ///< the secret's bytes
  Identity identity;
  std::optional<KeyFacts> key;
  std::string why;  ///< allowed: the entry's reason
  Secret value;     ///< refuse: what an allow-entry would bind
};

/// Decides about findings in the context. Values that are withheld join the vault here. Any thread.
class Judge {
 public:
  Judge(std::shared_ptr<const Scanner> scanner, Vault& vault, const Policy& policy);

  /// About a text that lies in memory, whole: a file's content, a link's target.
  std::vector<Remark> text(View text, const Location& place) const;
  /// About a path: rules for names, and whatever else stands in it.
  std::vector<Remark> name(const std::string& path) const;
  /// About an object of a history, from which nothing can be left out: every finding is refused, or excused by an
  /// allow-entry for the object or for the path that it had.
  std::vector<Remark> object(View text, const Location& place, const std::string& path) const;

  /// Are values looked for that no rule knows?
  bool knows_values() const { return !values_.empty(); }
  /// A stream too large for memory: feed scan(), then give its hits here. `read`: the stream's bytes [begin, end).
  Scan scan(const std::string& path) const { return Scan(*scanner_, path, values(), nullptr); }
  std::vector<Remark> stream(const std::vector<Hit>& hits, const Location& place,
                             const std::function<std::string(std::uint64_t, std::uint64_t)>& read) const;

 private:
  const ValueMatcher* values() const { return values_.empty() ? nullptr : &values_; }
  Remark remark(const Hit& hit, const Location& place, std::string_view value,
                const std::string& former_path = {}) const;

  std::shared_ptr<const Scanner> scanner_;
  Vault& vault_;
  const Policy& policy_;
  ValueMatcher values_;
};

/// The strictest fate among them that withholds; nullopt: the file is staged as it is.
std::optional<Remark::Fate> strictest(const std::vector<Remark>& remarks);

}  // namespace imgbuild
