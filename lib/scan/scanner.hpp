#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "scan/rule.hpp"
#include "scan/vault.hpp"

namespace imgbuild {

/// Something a rule (or a vault value) recognised. Lives briefly, between scanner and verdict; it holds positions and
/// an identity. The value itself has joined the `found` vault.
struct Hit {
  const Rule* rule = nullptr;          ///< never null; vault values have the rule vault_rule()
  std::uint64_t begin = 0, end = 0;    ///< the secret's bytes in the stream (of something decoded: of its encoded run)
  std::uint32_t line = 0;              ///< 1-based; 0 for a name
  std::vector<std::string> decoded;    ///< encodings from the outside in
  Severity severity = Severity::high;  ///< the rule's, or what the proof knows better
  Identity identity;
  std::optional<KeyFacts> key;
  std::string value_name;  ///< of a vault value: what it is called ("secret npm")
};

/// The rule that exact vault values are reported under: "vault.value".
const Rule& vault_rule();

/// Recognises credentials. Compiled once, const, shared by all threads; the stager, the auditor and the log redactor
/// use the same one. Rules refer to each other by position in rules().
class Scanner {
 public:
  /// The compiled-in rules, their pattern database loaded for this processor (milliseconds). Throws Error where the
  /// processor lacks what the scanner needs (SSSE3).
  static std::shared_ptr<const Scanner> builtin();
  /// The compiled-in rules and more, compiled now. Throws usage Error on rules that do not compile or share an id.
  static std::shared_ptr<const Scanner> with(std::vector<Rule> more);
  /// These rules and no others, compiled now. Throws as with().
  static std::shared_ptr<const Scanner> of(std::vector<Rule> rules);
  ~Scanner();

  const std::vector<Rule>& rules() const;
  /// "sha256:..." over the rules' canonical text.
  const std::string& digest() const;

  /// How far to each side of a match's anchor a rule may look: the context that scan_part needs.
  static constexpr std::size_t reach = std::size_t{64} << 10;

  /// What bytes are, where that changes how they are to be read.
  enum class Matter : std::uint8_t {
    plain,
    packed,   ///< of a packed stream, whose content is looked at as well: generic rules would see torn texts
    program,  ///< texts may stand one behind the other with nothing between them, as Go's and Rust's literals do
  };

  /// What to scan, beside its bytes.
  struct Subject {
    std::string_view path;                 ///< for rules with path globs; may be empty
    const ValueMatcher* values = nullptr;  ///< exact values to look for as well
    Vault* found = nullptr;                ///< where found values go; null: nowhere
    Matter matter = Matter::plain;         ///< what its bytes are
  };

  /// All hits in `text`, the whole of a stream, by position. Decodes base64, base32 and hex runs, to depth 3.
  std::vector<Hit> scan(View text, const Subject& subject) const;

  /// The hits whose secrets begin in [home_begin, home_end) of `part`, where `part` is a piece of a longer stream with
  /// up to `reach` bytes of context before and behind the home range (less only at the stream's ends). Home ranges that
  /// tile a stream give together exactly what scan() gives of the whole. `offset` is the stream position of part[0];
  /// lines are counted from part[0] as line 1 (the caller adds what came before).
  std::vector<Hit> scan_part(View part, std::size_t home_begin, std::size_t home_end, std::uint64_t offset,
                             const Subject& subject) const;

  /// Hits of a path itself: rules that have `path` and no `text` ("a file name alone").
  std::vector<Hit> scan_name(std::string_view path) const;

  struct Inside;
  const Inside& inside() const { return *inside_; }  ///< inside.hpp; for this room and its measurements

 private:
  Scanner();
  std::unique_ptr<Inside> inside_;
};

/// Looks at one stream that comes in pieces. What it finds does not depend on where the pieces were cut.
/// One thread at a time; memory is bounded by a few MiB whatever the stream's length.
class Scan {
 public:
  Scan(const Scanner& scanner, std::string path, const ValueMatcher* values, Vault* found);
  ~Scan();
  void feed(View piece);
  /// The end of the stream: all hits, by position, with lines of the whole stream. Once.
  std::vector<Hit> finish();

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace imgbuild
