#pragma once
#include <optional>
#include <string>
#include <vector>

#include "scan/inside.hpp"
#include "scan/roads.hpp"
#include "scan/runs.hpp"

namespace imgbuild {

/// One look at one text: the second stage. It collects everything that any rule or value says within a range, and then
/// decides what of it counts. Lives for one call.
///
/// How far it looks, so that a range of a stream gives the same whatever is shown around it (all are bytes; `reach` is
/// their sum and more): a match is at most most_width wide; a proof sees proof_reach to each side of where the match
/// begins; of two hits one can drop the other only where they begin within drop_reach of each other.
class Look {
 public:
  static constexpr std::size_t proof_reach = std::size_t{32} << 10;
  static constexpr std::size_t drop_reach = std::size_t{8} << 10;
  static constexpr std::size_t margin = std::size_t{20} << 10;

  Look(const Scanner::Inside& inside, const Scanner::Subject& subject) : inside_(inside), subject_(subject) {}

  /// The hits whose secret begins in [home_begin, home_end) of `part`, sorted; lines from part[0] as 1.
  std::vector<Hit> hits(View part, std::size_t home_begin, std::size_t home_end, std::uint64_t offset);

 private:
  // A hit before it is known whether it counts. `text` and `begin` are of the text looked at.
  struct Raw {
    Hit hit;
    std::size_t point = 0;  // where its own secret (not the proof's) begins: which range it belongs to
    std::vector<std::string_view> values;
    std::uint8_t rank = 0;
    bool exact = false;  // of a vault value
    bool deep = false;   // out of something that we decoded
  };

  // `signs`: where to note the words that put texts together; null: nowhere.
  std::vector<Raw> collect(View text, std::size_t begin, std::size_t end, std::vector<Sign>* signs);
  void first_stage(View text, std::size_t begin, std::size_t end, std::vector<Raw>& out, std::vector<Sign>* signs);
  bool may_be(View text, const Anchor& anchor, std::size_t at) const;
  void follow(View text, const Candidate& candidate, std::vector<Raw>& out);
  void try_each(View text, std::uint32_t pattern, std::size_t from, std::size_t to, std::vector<Raw>& out);
  bool match(View text, std::uint32_t pattern, std::size_t from, std::size_t to, std::size_t over,
             re2::StringPiece* groups);
  void adjoining(View text, const Candidate& candidate, std::vector<Raw>& out);
  void judge(View text, std::uint32_t pattern, const re2::StringPiece* groups, std::vector<Raw>& out);
  void exact_values(View text, std::size_t begin, std::size_t end, std::vector<Raw>& out);
  void decoded(View text, std::size_t begin, std::size_t end, std::uint64_t offset, std::vector<Sign>* signs,
               std::vector<Raw>& out);
  static void settle(std::vector<Raw>& all);
  bool wanted(std::uint32_t rule);
  void ask_paths();
  void remember(const Raw& raw);

  const Scanner::Inside& inside_;
  const Scanner::Subject& subject_;
  std::vector<Words::Found> found_;  // by the first stage, of the step it is in
  bool paths_known_ = false;
  std::vector<std::uint32_t> taken_;       // rules whose globs take this path
  std::vector<std::uint32_t> everywhere_;  // their patterns that are tried at each byte
  // Of a pattern: the positions [from, before) of the text of this number have been tried.
  struct Tried {
    std::uint32_t pattern = 0;
    std::uint64_t text = 0;
    std::size_t from = 0, before = 0;
  };
  Tried& noted(std::vector<Tried>& notes, std::uint32_t pattern) const;
  std::vector<Tried> tried_;   // one by one, of the few that were
  std::vector<Tried> barren_;  // and begin no match
  std::uint64_t text_ = 0;     // texts collected from so far
  unsigned depth_ = 0;
  unsigned shaped_ = 0;  // how many of the texts that we are in were put together: not a second time
};

}  // namespace imgbuild
