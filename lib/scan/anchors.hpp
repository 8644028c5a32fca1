#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "scan/rule.hpp"
#include "scan/shape.hpp"

namespace imgbuild {

/// What the first stage looks for: a short text of fixed width, as a Hyperscan pattern.
struct Expression {
  std::string text;
  bool caseless = false;
  std::uint32_t width = 0;  ///< bytes of every match: its start is its end less this
};

/// What follows from an expression being somewhere.
struct Anchor {
  enum class Kind : std::uint8_t { word, near, road };
  std::uint32_t pattern = 0;                     ///< the pattern that may be there; of a road: of road_words
  std::uint32_t shape = 0;                       ///< of the way from the expression's first byte on; of near: not used
  std::uint32_t before_min = 0, before_max = 0;  ///< bytes from the match's begin to the expression's
  Kind kind = Kind::word;
  bool boundary = false;  ///< and there is a word boundary where the expression begins
};

struct PlannedPattern {
  std::uint32_t rule = 0;             ///< position in the rules
  std::uint32_t text = 0;             ///< position in the rule's texts
  std::uint32_t width = 0;            ///< bytes of the longest match
  bool everywhere = false;            ///< no anchor: every byte of a file that the rule's globs name is tried
  std::vector<std::uint32_t> shapes;  ///< of its whole ways, where it has no anchor of its own
};

/// How a set of rules is looked for. A pure function of the rules: the program that compiles the database at build time
/// and the one that loads it come to the same plan.
struct ScanPlan {
  ScanPlan() = default;
  explicit ScanPlan(const std::vector<Rule>& rules);  ///< throws usage Error "rule ID: what"
  ScanPlan(ScanPlan&&) = default;
  ScanPlan& operator=(ScanPlan&&) = default;
  ScanPlan(const ScanPlan&) = delete;
  ScanPlan& operator=(const ScanPlan&) = delete;
  ~ScanPlan() = default;

  std::vector<Expression> expressions;
  std::vector<std::uint32_t> first_anchor;  ///< of each expression, and one past the last
  std::vector<Anchor> anchors;              ///< by expression
  std::vector<PlannedPattern> patterns;
  std::span<const WayShape> shapes;  ///< of this plan's own making, or compiled in

 private:
  std::vector<WayShape> made_;
};

/// Processor levels that a database is compiled for, best last: hs_platform_info's cpu_features.
std::vector<unsigned long long> processor_levels();

/// The expressions compiled and serialised for a level. Empty where there are none. Throws Error.
std::string compile_database(const ScanPlan& plan, unsigned long long level);

}  // namespace imgbuild
