#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "scan/rule.hpp"
#include "scan/shape.hpp"
#include "scan/words.hpp"

namespace imgbuild {

/// What follows from a word being somewhere.
struct Anchor {
  enum class Kind : std::uint8_t { word, near, road };
  std::uint32_t pattern = 0;                     ///< the pattern that may be there; of a road: of road_words
  std::uint32_t shape = 0;                       ///< of the way from the word's first byte on; of near: not used
  std::uint32_t before_min = 0, before_max = 0;  ///< bytes from the match's begin to the word's
  Kind kind = Kind::word;
  bool boundary = false;   ///< and there is a word boundary where the word begins
  std::uint8_t known = 0;  ///< bytes of the word that the shape need not read again
};

struct PlannedPattern {
  std::uint32_t rule = 0;             ///< position in the rules
  std::uint32_t text = 0;             ///< position in the rule's texts
  std::uint32_t width = 0;            ///< bytes of the longest match
  bool everywhere = false;            ///< no anchor: every byte of a file that the rule's globs name is tried
  std::vector<std::uint32_t> shapes;  ///< of its whole ways, where it has no anchor of its own
  ByteSet first;                      ///< what these may begin with
};

/// How a set of rules is looked for: a pure function of the rules.
struct ScanPlan {
  ScanPlan() = default;
  explicit ScanPlan(const std::vector<Rule>& rules);  ///< throws usage Error "rule ID: what"
  ScanPlan(ScanPlan&&) = default;
  ScanPlan& operator=(ScanPlan&&) = default;
  ScanPlan(const ScanPlan&) = delete;
  ScanPlan& operator=(const ScanPlan&) = delete;
  ~ScanPlan() = default;

  std::vector<Words::Word> words;           ///< what the first stage looks for
  std::vector<Words::Choice> choices;       ///< and by what of each
  std::vector<std::uint32_t> first_anchor;  ///< of each word, and one past the last
  std::vector<Anchor> anchors;              ///< by word
  std::vector<PlannedPattern> patterns;
  std::span<const WayShape> shapes;  ///< of this plan's own making, or compiled in

 private:
  std::vector<WayShape> made_;
};

/// A word as people write it: a pattern.
std::string text_of(const Words::Word& word);

}  // namespace imgbuild
