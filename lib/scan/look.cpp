// The second stage. The first (words.hpp) says where a word stands that some rule needs; here the rest of the rule is
// held against the text, dearest question last: can the shape be there (nanoseconds), does RE2 match at that one place,
// is a `near` word near, is it a placeholder, is it random enough, does the proof prove it.
//
// Nothing here depends on where the text was cut out of its stream. RE2 is asked at positions that the text itself
// determines, never "the next match from here"; where every position is tried, a match counts if none begins one byte
// before it.
#include "scan/look.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "scan/arrays.hpp"
#include "scan/borders.hpp"
#include "scan/dumps.hpp"
#include "scan/escapes.hpp"
#include "scan/except.hpp"
#include "scan/letters.hpp"
#include "scan/lines.hpp"
#include "scan/meant_public.hpp"
#include "scan/named.hpp"
#include "scan/proof.hpp"
#include "scan/proofs.hpp"
#include "scan/spelled.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t near_reach = 96;
constexpr std::size_t public_reach = 512;                         // of what says that it is meant to be seen
constexpr unsigned most_depth = 3;                                // of encodings
constexpr std::size_t first_stage_step = std::size_t{256} << 10;  // stays in the cache for the decoder
constexpr std::size_t decode_step = std::size_t{512} << 10;
constexpr std::size_t widest_near = 64;  // of the words of rules that must stand near

bool is_word(std::uint8_t c) { return is_alphanumeric(static_cast<char>(c)) || c == '_'; }

bool stands_near(View text, std::size_t begin, std::size_t end, const std::vector<std::string>& words) {
  const std::size_t from = begin - std::min(begin, near_reach), to = std::min(text.size(), end + near_reach);
  const std::string around = lower(text_of(text.subspan(from, to - from)));
  return std::any_of(words.begin(), words.end(),
                     [&](const std::string& word) { return around.find(lower(word)) != std::string::npos; });
}

}  // namespace

std::vector<Hit> Look::hits(View part, std::size_t home_begin, std::size_t home_end, std::uint64_t offset) {
  home_end = std::min(home_end, part.size());
  if (home_begin >= home_end) return {};
  std::vector<Sign> signs;
  std::vector<Raw> all =
      collect(part, home_begin - std::min(home_begin, margin), std::min(part.size(), home_end + margin), &signs);
  decoded(part, home_begin, home_end, offset, &signs, all);
  settle(all);
  std::vector<Hit> out;
  LineCounter lines(part);
  for (auto& raw : all) {
    if (raw.point < home_begin || raw.point >= home_end) continue;
    if (!raw.deep) remember(raw);
    raw.hit.line = lines.line_of(static_cast<std::size_t>(raw.hit.begin));
    raw.hit.begin += offset;
    raw.hit.end += offset;
    out.push_back(std::move(raw.hit));
  }
  return out;
}

std::vector<Look::Raw> Look::collect(View text, std::size_t begin, std::size_t end, std::vector<Sign>* signs) {
  std::vector<Raw> all;
  ++text_;
  for (std::size_t at = begin; at < end; at += first_stage_step)
    first_stage(text, at, std::min(end, at + first_stage_step), all, signs);
  ask_paths();
  for (const auto pattern : everywhere_) try_each(text, pattern, begin, end, all);
  exact_values(text, begin, end, all);
  return all;
}

void Look::first_stage(View text, std::size_t begin, std::size_t end, std::vector<Raw>& out, std::vector<Sign>* signs) {
  const ScanPlan& plan = inside_.plan;
  found_.clear();
  inside_.words.find(text, begin, end, found_);
  for (const auto& found : found_)
    for (std::uint32_t a = plan.first_anchor[found.word]; a < plan.first_anchor[found.word + 1]; ++a) {
      const Anchor& anchor = plan.anchors[a];
      if (anchor.kind == Anchor::Kind::road) {
        if (signs != nullptr) signs->push_back({anchor.pattern, found.at});
      } else if (anchor.kind == Anchor::Kind::near || may_be(text, anchor, found.at)) {
        follow(text, {a, found.at}, out);
      }
    }
}

// What costs nanoseconds to ask of a word that stands at `at`.
bool Look::may_be(View text, const Anchor& anchor, std::size_t at) const {
  if (at < anchor.before_min) return false;
  const bool may_adjoin =
      subject_.matter != Scanner::Matter::packed && inside_.rank[inside_.plan.patterns[anchor.pattern].rule] == 0;
  if (anchor.boundary && at > 0 && is_word(text[at - 1]) == is_word(text[at]) && !may_adjoin) return false;
  return inside_.plan.shapes[anchor.shape].may_start(text.data() + at, text.data() + text.size(), anchor.known);
}

void Look::follow(View text, const Candidate& candidate, std::vector<Raw>& out) {
  const Anchor& anchor = inside_.plan.anchors[candidate.anchor];
  const PlannedPattern& pattern = inside_.plan.patterns[anchor.pattern];
  if (anchor.kind == Anchor::Kind::near) {
    // The name of a service begins as names do: "getMetrics" is not tmetric's.
    const std::string_view all = text_of(text);
    if (inside_.rank[pattern.rule] == 1 && !begins_name(all, candidate.at)) return;
    const std::size_t before = near_reach + pattern.width;
    try_each(text, anchor.pattern, candidate.at - std::min(candidate.at, before),
             std::min(text.size(), candidate.at + widest_near + near_reach), out);
    return;
  }
  if (!wanted(pattern.rule)) return;
  const std::size_t last = candidate.at - anchor.before_min;
  const std::size_t first = candidate.at - std::min<std::size_t>(candidate.at, anchor.before_max);
  re2::StringPiece groups[2];
  if (anchor.before_max == 0 && inside_.own_secret[pattern.rule]) {
    // The pattern begins with its key word, which stands here; what comes behind it the proof reads for itself.
    groups[0] = groups[1] = {text_of(text).data() + candidate.at, 1};
    judge(text, anchor.pattern, groups, out);
    return;
  }
  if (match(text, anchor.pattern, first, last, candidate.at, groups)) return judge(text, anchor.pattern, groups, out);
  if (inside_.rank[pattern.rule] == 0 && subject_.matter != Scanner::Matter::packed) adjoining(text, candidate, out);
}

// A token that has other text directly before or behind it. An escape before it is none: \n, %20. Where it ends, the
// byte before it says if that is its length, as records have it, or a control character behind it; else nothing does,
// and the shortest that the pattern takes is meant. Only what a machine made stands out of its surroundings so.
void Look::adjoining(View text, const Candidate& candidate, std::vector<Raw>& out) {
  const Anchor& anchor = inside_.plan.anchors[candidate.anchor];
  constexpr std::size_t least = 16;  // of a token
  const std::string_view all = text_of(text);
  // Before the word that was found is a border, or the token's own begin.
  std::size_t at = candidate.at - (anchor.before_min == anchor.before_max ? anchor.before_min : 0);
  const bool escape = ends_escape(all.substr(0, at));
  if (!escape) at = candidate.at;
  const PlannedPattern& planned = inside_.plan.patterns[anchor.pattern];
  const Rule& rule = inside_.rules[planned.rule];
  const bool sure = proves_itself(rule.proof);
  constexpr std::size_t telling = 4, unmistakable = 6;  // three letters begin many a name
  const std::size_t known = sure ? unmistakable : known_head(rule.text[planned.text]);
  if (!escape && (known < telling || anchor.before_max > 1)) return;
  const bool in_text = !escape && !may_adjoin(text, at, subject_.matter);
  if (!in_text && !escape && known < unmistakable && at > 0 && is_word(text[at - 1]) &&
      !ends_another(all.substr(0, at)))
    return;
  const std::size_t width = planned.width;
  std::string_view seen = all.substr(at, width);
  const auto end = std::find_if(seen.begin(), seen.end(), [](char c) { return c <= ' ' || c > '~'; });
  seen = seen.substr(0, static_cast<std::size_t>(end - seen.begin()));
  re2::StringPiece groups[2];
  const auto matches = [&](const RE2& regex, std::size_t size, RE2::Anchor anchored) {
    const int count = std::min(regex.NumberOfCapturingGroups(), 1) + 1;
    groups[1] = {};
    if (size > seen.size() || !regex.Match(seen.substr(0, size), 0, size, anchored, groups, count)) return false;
    if (count == 1 || groups[1].empty()) groups[1] = groups[0];
    return groups[1].size() >= least;
  };
  const RE2& whole = inside_.regex(anchor.pattern);
  if (escape) {
    if (matches(whole, seen.size(), RE2::ANCHOR_START)) judge(text, anchor.pattern, groups, out);
    return;
  }
  const std::size_t behind = at + seen.size();
  const std::size_t length = at > 0 ? text[at - 1] : 0;  // with the zero that ends it, or without
  bool found =
      length > least && (matches(whole, length, RE2::ANCHOR_BOTH) || matches(whole, length - 1, RE2::ANCHOR_BOTH));
  if (in_text && (!found || is_within_base64(all, {groups[1].data(), groups[1].size()}))) return;
  if (!found && seen.size() < width && (behind == text.size() || text[behind] < ' '))
    found = matches(whole, seen.size(), RE2::ANCHOR_BOTH);
  if (!found && !matches(inside_.borderless(anchor.pattern), seen.size(), RE2::ANCHOR_START)) return;
  if (!rule.proof.empty() || proofs::may_be_key({groups[1].data(), groups[1].size()}))
    judge(text, anchor.pattern, groups, out);
}

// Tries every position in [from, to) once per look, whoever asks.
void Look::try_each(View text, std::uint32_t pattern, std::size_t from, std::size_t to, std::vector<Raw>& out) {
  const PlannedPattern& planned = inside_.plan.patterns[pattern];
  if (!wanted(planned.rule)) return;
  const auto matches = [&](std::size_t at, re2::StringPiece* groups) {
    return std::any_of(planned.shapes.begin(), planned.shapes.end(),
                       [&](std::uint32_t shape) {
                         return inside_.plan.shapes[shape].may_start(text.data() + at, text.data() + text.size());
                       }) &&
           match(text, pattern, at, at, at, groups);
  };
  re2::StringPiece groups[2];
  Tried& tried = noted(tried_, pattern);
  const std::size_t first = std::max(from, tried.before);
  tried.before = std::max(tried.before, to);
  for (std::size_t at = first; at < to; ++at) {
    if (!planned.first[text[at]] || !matches(at, groups)) continue;
    re2::StringPiece unused[2];
    if (at == 0 || !matches(at - 1, unused)) judge(text, pattern, groups, out);
  }
}

Look::Tried& Look::noted(std::vector<Tried>& notes, std::uint32_t pattern) const {
  auto note = std::find_if(notes.begin(), notes.end(), [&](const Tried& one) { return one.pattern == pattern; });
  if (note == notes.end()) note = notes.insert(note, {pattern, text_, 0, 0});
  if (note->text != text_) *note = {pattern, text_, 0, 0};
  return *note;
}

// The leftmost match that begins in [from, to] and goes beyond `over`. One that ends before is another's. A line of
// nothing but key words has a candidate at each, and they ask about the same positions: each is asked about once.
bool Look::match(View text, std::uint32_t pattern, std::size_t from, std::size_t to, std::size_t over,
                 re2::StringPiece* groups) {
  const RE2& regex = inside_.regex(pattern);
  const re2::StringPiece all(text_of(text).data(), text.size());
  const std::size_t end = std::min(text.size(), to + inside_.plan.patterns[pattern].width);
  const int count = std::min(regex.NumberOfCapturingGroups(), 1) + 1;
  constexpr std::size_t few = 16;  // that cost less one by one: most fail at their first byte
  Tried* const barren = to - from < few ? nullptr : &noted(barren_, pattern);
  if (barren != nullptr && (from < barren->from || from > barren->before)) barren->from = barren->before = from;
  if (barren != nullptr) from = barren->before;
  bool none = true;
  while (from <= to) {
    const bool alone = to - from < few;
    groups[1] = {};
    if (!regex.Match(all, from, end, alone ? RE2::ANCHOR_START : RE2::UNANCHORED, groups, count)) {
      if (!alone) break;
      ++from;
      continue;
    }
    const std::size_t begin = static_cast<std::size_t>(groups[0].data() - all.data());
    if (begin > to) break;
    none = false;
    if (groups[0].empty()) return false;
    if (begin + groups[0].size() > over) {
      if (count == 1 || groups[1].empty()) groups[1] = groups[0];
      return true;
    }
    from = begin + groups[0].size();
  }
  if (none && barren != nullptr) barren->before = std::max(barren->before, to + 1);
  return false;
}

void Look::judge(View text, std::uint32_t pattern, const re2::StringPiece* groups, std::vector<Raw>& out) {
  const std::uint32_t r = inside_.plan.patterns[pattern].rule;
  if (subject_.matter == Scanner::Matter::packed && inside_.rank[r] > 0) return;
  const Rule& rule = inside_.rules[r];
  const std::string_view all = text_of(text);
  const std::string_view whole(groups[0].data(), groups[0].size()), secret(groups[1].data(), groups[1].size());
  const std::size_t begin = static_cast<std::size_t>(whole.data() - all.data());
  // (A rule that sees more than the token knows what joins it: a URL.)
  if (inside_.rank[r] == 0 && whole.size() <= secret.size() + 1 && is_of_base64(all, secret)) return;
  if (!rule.near.empty() && !stands_near(text, begin, begin + whole.size(), rule.near)) return;
  if (!inside_.own_secret[r] && (is_placeholder(secret) || (rule.entropy > 0 && entropy_of(secret) < rule.entropy)))
    return;
  if (rule.except) {
    const std::size_t line = all.substr(0, begin).find_last_of('\n') + 1;
    const std::string_view from = all.substr(line);
    const std::size_t end = std::min(from.find('\n', begin + whole.size() - line), from.size());
    if (rule.except->excuse(secret, whole, from.substr(0, end), subject_.path)) return;
  }
  Proof proof;
  if (!rule.proof.empty()) {
    const std::size_t from = begin - std::min(begin, proof_reach), to = std::min(all.size(), begin + proof_reach);
    proof = prove(rule.proof, {secret, whole, all.substr(from, to - from), subject_.path, &rule.near});
    if (!proof.proven) return;
  }
  if (const std::string_view value = proof.secrets.empty() ? secret : proof.secrets.front();
      value.data() >= all.data() && value.data() + value.size() <= all.data() + all.size()) {
    const auto at = static_cast<std::size_t>(value.data() - all.data());
    const std::size_t from = at - std::min(at, public_reach);
    if (is_meant_to_be_public(value, all.substr(from, at - from), all.substr(at + value.size(), public_reach))) return;
  }
  if (subject_.matter == Scanner::Matter::program && inside_.rank[r] == 2) {
    // "PWD=" of Go's library, and whatever text the linker put behind it.
    const std::string_view value = proof.secrets.empty() ? secret : proof.secrets.front();
    const auto at = static_cast<std::size_t>(value.data() - all.data());
    if (!proofs::may_be_key(value) && at > 0 && at <= all.size() && all[at - 1] != '"' && all[at - 1] != '\'' &&
        is_unbroken(text, at, at + value.size()))
      return;
  }
  Raw raw;
  raw.hit.rule = &rule;
  raw.hit.severity = proof.severity.value_or(rule.severity);
  raw.hit.key = std::move(proof.key);
  raw.rank = inside_.rank[r];
  raw.point = static_cast<std::size_t>(secret.data() - all.data());
  raw.hit.begin = raw.point;
  raw.hit.end = raw.point + secret.size();
  raw.values = {secret};
  if (!proof.secrets.empty()) {
    raw.values = std::move(proof.secrets);
    std::uint64_t low = UINT64_MAX, high = 0;
    for (const auto& value : raw.values) {
      if (value.empty() || value.data() < all.data() || value.data() + value.size() > all.data() + all.size()) continue;
      const auto at = static_cast<std::uint64_t>(value.data() - all.data());
      low = std::min(low, at);
      high = std::max(high, at + value.size());
    }
    if (low < high) {
      raw.hit.begin = low;
      raw.hit.end = high;
    }
  }
  raw.hit.identity = raw.hit.key && !raw.hit.key->fingerprint.empty() ? Identity{raw.hit.key->fingerprint}
                                                                      : Vault::identify(raw.values.front());
  out.push_back(std::move(raw));
}

void Look::exact_values(View text, std::size_t begin, std::size_t end, std::vector<Raw>& out) {
  if (subject_.values == nullptr || subject_.values->empty()) return;
  const std::size_t from = begin - std::min(begin, subject_.values->longest());
  const std::size_t to = std::min(text.size(), end + subject_.values->longest());
  for (auto& found : subject_.values->find(text.subspan(from, to - from))) {
    if (from + found.begin < begin || from + found.begin >= end) continue;
    Raw raw;
    raw.hit.rule = &vault_rule();
    raw.hit.severity = vault_rule().severity;
    raw.hit.begin = raw.point = from + found.begin;
    raw.hit.end = from + found.end;
    if (!found.form.empty()) raw.hit.decoded = {std::move(found.form)};
    raw.hit.identity = std::move(found.identity);
    raw.hit.value_name = std::move(found.name);
    raw.exact = true;
    out.push_back(std::move(raw));
  }
}

// What stands in base64, base32 and hex runs and behind escapes, to depth 3; positions are of the outermost run.
void Look::decoded(View text, std::size_t begin, std::size_t end, std::uint64_t offset, std::vector<Sign>* signs,
                   std::vector<Raw>& out) {
  if (depth_ == most_depth) return;
  const auto look_at = [&](DecodedRun& run, OwnedRange owned) {
    ++depth_;
    shaped_ += run.shaped ? 1 : 0;
    const View bytes = view_of(run.bytes);
    std::vector<Sign> found;
    std::vector<Sign>* const inner_signs = shaped_ == 0 ? &found : nullptr;
    std::vector<Raw> inner = collect(bytes, 0, bytes.size(), inner_signs);
    decoded(bytes, 0, bytes.size(), 0, inner_signs, inner);
    settle(inner);
    --depth_;
    shaped_ -= run.shaped ? 1 : 0;
    for (auto& raw : inner) {
      if ((run.shaped && raw.rank > 0) || (run.plain && raw.exact)) continue;
      const std::size_t point = run.position_of(run.plain ? run.lead : run.backwards ? raw.hit.end - 1 : raw.point);
      if (point < std::max(begin, owned.begin) || point >= std::min(end, owned.end)) continue;
      if (!raw.deep) remember(raw);
      raw.deep = true;
      raw.point = point;
      if (run.backwards) {
        raw.hit.end = run.position_of(static_cast<std::size_t>(raw.hit.begin)) + 1;
        raw.hit.begin = point;
      } else {
        raw.hit.end = run.use ? run.end_of_piece(static_cast<std::size_t>(raw.hit.begin))
                              : run.end_of(static_cast<std::size_t>(raw.hit.end));
        raw.hit.begin = run.position_of(static_cast<std::size_t>(raw.hit.begin));
      }
      raw.hit.decoded.insert(raw.hit.decoded.begin(), run.encoding);
      raw.values.clear();
      out.push_back(std::move(raw));
    }
    if (!inner.empty()) wipe(run.bytes.data(), run.bytes.size());
  };
  const auto look_inside = [&](DecodedRun& run, OwnedRange owned) {
    DecodedRun named;
    const bool has_name = depth_ == 0 && name_run(text, run, named);
    look_at(run, owned);
    if (has_name) look_at(named, owned);
  };
  // One after the other while the bytes are in the cache; a step is of whole blocks (runs.hpp).
  for (std::size_t at = begin; at < end;) {
    const std::size_t next = std::min<std::uint64_t>(end, at + decode_step - (offset + at) % decode_step);
    decode_runs(text, offset, at, next, look_inside);
    decode_escapes(text, offset, at, next, look_inside);
    decode_arrays(text, offset, at, next, look_inside);
    decode_dumps(text, offset, at, next, look_inside);
    if (signs != nullptr) decode_spelled(text, offset, at, next, look_inside);
    at = next;
  }
  if (signs == nullptr) return;
  follow_roads(text, offset, *signs, look_inside);
}

// Sorts; drops what says the same twice, what a generic rule says where another rule is surer, and what was decoded out
// of a text that is a hit as it stands (the body of a PEM key).
void Look::settle(std::vector<Raw>& all) {
  const auto order = [](const Raw& a, const Raw& b) {
    return std::tie(a.hit.begin, a.hit.end, a.hit.rule->id, a.hit.value_name, a.hit.decoded, a.point) <
           std::tie(b.hit.begin, b.hit.end, b.hit.rule->id, b.hit.value_name, b.hit.decoded, b.point);
  };
  std::sort(all.begin(), all.end(), order);
  all.erase(std::unique(all.begin(), all.end(),
                        [](const Raw& a, const Raw& b) {
                          return a.hit.begin == b.hit.begin && a.hit.end == b.hit.end && a.hit.rule == b.hit.rule &&
                                 a.hit.value_name == b.hit.value_name && a.hit.decoded == b.hit.decoded &&
                                 a.point == b.point;
                        }),
            all.end());
  if (all.size() < 2) return;

  // Spans that make others go, by begin, with the farthest end so far. What is farther than drop_reach from the point
  // does not count: another range of the stream could not see it.
  struct Span {
    std::size_t begin, end;
  };
  const auto spans_of = [&](auto&& takes) {
    std::vector<Span> spans;
    for (const auto& raw : all)
      if (takes(raw))
        spans.push_back({std::max<std::size_t>(raw.hit.begin, raw.point - std::min(raw.point, drop_reach)),
                         std::min<std::size_t>(raw.hit.end, raw.point + drop_reach)});
    std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) { return a.begin < b.begin; });
    for (std::size_t i = 1; i < spans.size(); ++i) spans[i].end = std::max(spans[i].end, spans[i - 1].end);
    return spans;
  };
  const auto overlaps = [](const std::vector<Span>& spans, const Raw& raw) {
    const std::size_t end = std::min<std::size_t>(raw.hit.end, raw.point + 1024);
    const auto behind = std::lower_bound(spans.begin(), spans.end(), end,
                                         [](const Span& span, std::size_t value) { return span.begin < value; });
    return behind != spans.begin() && (behind - 1)->end > raw.point;
  };
  const auto sure = spans_of([](const Raw& raw) { return raw.rank == 0 && !raw.deep; });
  const auto surer = spans_of([](const Raw& raw) { return raw.rank <= 1 && !raw.deep; });
  const auto plain = spans_of([](const Raw& raw) { return !raw.exact && !raw.deep; });
  const auto exact = spans_of([](const Raw& raw) { return raw.exact && !raw.deep; });
  const auto shallow = spans_of([](const Raw& raw) { return raw.deep && !raw.exact && raw.hit.decoded.size() == 1; });
  std::vector<Raw> kept;
  kept.reserve(all.size());
  for (auto& raw : all) {
    if (raw.rank > 0 && overlaps(raw.rank == 1 ? sure : surer, raw)) continue;
    // Of two that are as sure, the first by name: one secret, one finding.
    if (raw.rank > 0 && std::any_of(kept.rbegin(), kept.rbegin() + std::min<std::ptrdiff_t>(8, std::ssize(kept)),
                                    [&](const Raw& other) {
                                      return other.rank == raw.rank && other.hit.begin < raw.hit.end &&
                                             raw.hit.begin < other.hit.end && other.deep == raw.deep &&
                                             other.exact == raw.exact;
                                    }))
      continue;
    if (raw.deep && !raw.exact && raw.hit.decoded.size() > 1 && overlaps(shallow, raw)) continue;
    if (raw.deep && (overlaps(exact, raw) || (!raw.exact && overlaps(plain, raw)))) continue;
    kept.push_back(std::move(raw));
  }
  all = std::move(kept);
}

bool Look::wanted(std::uint32_t rule) {
  if (inside_.rules[rule].path.empty()) return true;
  ask_paths();
  return std::binary_search(taken_.begin(), taken_.end(), rule);
}

void Look::ask_paths() {
  if (paths_known_) return;
  paths_known_ = true;
  taken_ = inside_.globs.taking(subject_.path);
  if (taken_.empty()) return;
  for (const auto pattern : inside_.everywhere)
    if (std::binary_search(taken_.begin(), taken_.end(), inside_.plan.patterns[pattern].rule))
      everywhere_.push_back(pattern);
}

void Look::remember(const Raw& raw) {
  if (subject_.found == nullptr) return;
  for (const auto& value : raw.values) subject_.found->add(value, raw.hit.rule->id, Origin::found);
}

}  // namespace imgbuild
