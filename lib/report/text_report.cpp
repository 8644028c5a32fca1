// The report for people. What to do stands with what was found: a reader who has never seen the tool should know which
// instruction to change, where to revoke the credential, and what to paste should the finding be meant.
#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "base/text.hpp"
#include "report/mending.hpp"
#include "report/told.hpp"

namespace imgbuild {
namespace {

// What is told of a long list unless all is asked for. Leaks are never left out of it: each is to be mended.
constexpr std::size_t most_places = 10;
constexpr std::size_t most_lines = 10;

class Writer {
 public:
  Writer(const Redaction& redaction, const Style& style) : redaction_(redaction), style_(style) {}

  void image(const ImageRecord& raw) {
    const ImageRecord record = redaction_(raw);
    line(strong(printable(record.source)) + "  " + record.id + "  " + printable(record.platform) + ", " +
         plural(record.layers.size(), "layer", "layers"));
    leaks(record.leaks);
    brief("known", record.known);
    brief("allowed", record.allowed);
    brief("published", record.published);
    brief("note", record.notes);
    coverage(record.coverage);
    weight(record);
  }

  void withheld(const Withheld& raw) {
    const Withheld one = redaction_(raw);
    std::string where = printable(one.path);
    if (one.line > 0 && one.action != Withheld::Action::file) where += ":" + std::to_string(one.line);
    if (one.action != Withheld::Action::refuse) {
      const bool file = one.action == Withheld::Action::file;
      return line("withheld " + where + ": " + one.rule + " (the " + (file ? "file" : "line") + " is left out)");
    }
    line(bad("REFUSED") + " " + where + ": " + one.rule);
    field("what", printable(one.says));
    allow(one.allow);
  }

  void staged_anyway(const std::vector<Finding>& allowed, const std::vector<Finding>& notes_of_stage) {
    for (const auto& raw : allowed) {
      const Finding finding = redaction_(raw);
      for (const auto& place : finding.locations)
        line("allowed " + in_context(place) + ": " + finding.rule + ": " + printable(finding.why));
    }
    for (const auto& raw : notes_of_stage) {
      const Finding finding = redaction_(raw);
      for (const auto& place : finding.locations)
        line("note " + in_context(place) + ": " + finding.rule +
             (finding.why.empty() ? "" : ": " + printable(finding.why)));
    }
  }

  void build(const BuildFacts& facts) {
    for (const auto& one : facts.withheld) withheld(one);
    for (const auto& signature : facts.ledger) line(ledger_line(redaction_(signature)));
    listed("stub ", facts.stubs, ": made by the engine, not by the script");
    listed("weak secret ", facts.weak_secrets, ": too short or too common, it was not looked for");
  }

  /// Entries that expired are told one by one; that some were not needed is worth less.
  void remarks(const std::vector<AllowRemark>& all) {
    std::vector<std::string> unused;
    for (const auto& remark : all) {
      const std::string text = redaction_(remark_line(remark));
      if (remark.state == AllowRemark::State::unused)
        unused.push_back("note: " + text);
      else
        line(bad("note") + ": " + text);
    }
    some(unused, "unused allow-entries");
  }

  void line(const std::string& text = {}) { text_ += text + "\n"; }
  std::string good(const std::string& word) const { return coloured("32", word); }
  std::string bad(const std::string& word) const { return coloured("31;1", word); }
  std::string printed(const std::string& raw) const { return printable(redaction_(raw)); }
  std::string take() { return std::move(text_); }

 private:
  std::string coloured(const char* code, const std::string& word) const {
    return style_.colour ? std::string("\x1b[") + code + "m" + word + "\x1b[0m" : word;
  }
  std::string strong(const std::string& word) const { return coloured("1", word); }

  void field(std::string name, const std::string& value) {
    if (value.empty()) return;
    if (name.size() < 8) name.resize(8, ' ');
    line("  " + name + "  " + value);
  }
  void more(const std::string& value) { line("            " + value); }

  std::size_t at_most(std::size_t count) const { return style_.all ? std::numeric_limits<std::size_t>::max() : count; }
  static std::string and_more(std::size_t count, const std::string& what) {
    return "... and " + std::to_string(count) + " more " + what + "; --all prints them";
  }
  void some(const std::vector<std::string>& lines, const std::string& what) {
    const std::size_t shown = std::min(lines.size(), at_most(most_lines));
    for (std::size_t i = 0; i < shown; ++i) line(lines[i]);
    if (lines.size() > shown) line(and_more(lines.size() - shown, what));
  }

  void listed(const std::string& before, const std::vector<std::string>& all, const std::string& after) {
    for (const auto& one : all) line(before + printed(one) + after);
  }

  static std::string in_context(const Location& place) {
    return printable(place.path) + (place.line > 0 ? ":" + std::to_string(place.line) : "");
  }

  // One secret may be known by several rules: they stand under one heading.
  void leaks(const std::vector<Finding>& all) {
    std::vector<std::string> order;
    std::map<std::string, std::vector<const Finding*>> by_secret;
    for (const auto& finding : all) {
      auto& same = by_secret[finding.secret];
      if (same.empty()) order.push_back(finding.secret);
      same.push_back(&finding);
    }
    for (const auto& secret : order) {
      const auto& same = by_secret[secret];
      const auto worst = (*std::max_element(same.begin(), same.end(), [](auto* a, auto* b) {
                           return a->severity < b->severity;
                         }))->severity;
      line();
      line(bad("LEAK") + " " + secret + "  " + name_of(worst));
      for (const Finding* each : same) leak(*each);
    }
  }

  void leak(const Finding& one) {
    field("what", one.rule + ": " + printable(one.says));
    if (one.key) {
      field("key", key_line(*one.key));
      for (const auto& match : one.key->matches) more("it opens: " + printable(match));
    }
    where(one.locations);
    if (!one.packaged.empty()) field("package", printable(one.packaged));
    std::string name = "fix";
    for (const auto& step : mending(one)) field(std::exchange(name, ""), step);
    if (!one.rotate.empty()) field("revoke", printable(one.rotate));
    if (!one.why.empty()) field("note", printable(one.why));
    allow(one.allow);
  }

  // Places with one story are told together, and it behind them.
  void where(const std::vector<Location>& places) {
    const std::size_t shown = std::min(places.size(), at_most(most_places));
    std::string name = "where";
    for (std::size_t i = 0; i < shown; ++i) {
      field(std::exchange(name, ""), place_of(places[i]));
      const std::string story = story_of(places[i]);
      if (!story.empty() && (i + 1 == shown || story_of(places[i + 1]) != story)) more("  " + story);
    }
    if (places.size() > shown) more(and_more(places.size() - shown, places.size() - shown == 1 ? "place" : "places"));
  }

  // What hinders nothing is a line each.
  void brief(std::string word, const std::vector<Finding>& all) {
    if (all.empty()) return;
    std::vector<std::string> lines;
    const std::string what = word == "note" ? "notes" : word + " findings";
    word.resize(9, ' ');
    for (const auto& one : all) {
      std::string text = word + " " + name_of(one.severity) + "  " + one.rule;
      if (!one.locations.empty()) text += "  " + place_of(one.locations.front());
      if (one.locations.size() > 1 && !style_.all)
        text += " and " + plural(one.locations.size() - 1, "more place", "more places");
      if (!one.why.empty()) text += ": " + printable(one.why);
      lines.push_back(std::move(text));
      for (std::size_t i = 1; style_.all && i < one.locations.size(); ++i)
        lines.push_back(std::string(12, ' ') + place_of(one.locations[i]));
    }
    line();
    some(lines, what);
  }

  void coverage(const Coverage& seen) {
    line();
    line("looked at " + coverage_line(seen));
    std::vector<std::string> allowed;
    std::size_t open = 0;
    for (const auto& gap : seen.not_scanned) {
      std::string what = gap.layer >= 0 ? "layer " + std::to_string(gap.layer) + ": " : "";
      what += printable(gap.path) + " (" + human_size(gap.bytes) + "): " + printable(gap.why);
      if (!gap.open()) {
        allowed.push_back(gap.published.empty() ? "allowed   " + what + "; " + printable(gap.allowed)
                                                : "published " + what + "; " + printable(gap.published));
        continue;
      }
      if (++open > at_most(most_lines)) continue;
      line(bad(gap.damaged ? "DAMAGED" : "NOT LOOKED AT") + "  " + what);
      if (gap.damaged || gap.sha256.empty()) continue;
      more("where that is meant, paste into imgbuild.toml:");
      paste("[[allow]]");
      paste("path = " + toml_quoted(gap.path));
      paste("sha256 = " + toml_quoted(gap.sha256));
      paste("reason = \"...\"");
    }
    if (open > at_most(most_lines)) line(bad(and_more(open - most_lines, "things that were not looked at")));
    some(allowed, "things that were not looked at, and are allowed or published");
    if (!seen.other_platforms.empty())
      line("the index has " + join(seen.other_platforms, ", ") + " as well: not looked at without --all-platforms");
    if (!seen.vault_not_looked_for.empty()) {
      std::vector<std::string> layers;
      for (const int layer : seen.vault_not_looked_for) layers.push_back(std::to_string(layer));
      line("the values of this run were not looked for in the base's layers " + join(layers, ", "));
    }
  }

  void weight(const ImageRecord& record) {
    if (record.layers.empty()) return;
    line(weight_line(record));
    std::vector<std::string> lines;
    for (const auto& layer : record.layers) {
      std::string size = human_size(layer.bytes), by = printable(layer.created_by);
      if (by.size() > 60) by = by.substr(0, 57) + "...";
      size.insert(0, 10 - std::min<std::size_t>(size.size(), 10), ' ');
      lines.push_back("  layer " + std::to_string(layer.index) + "  " + size + "  " + by +
                      (layer.hidden > 0 ? "  (" + human_size(layer.hidden) + " hidden)" : ""));
    }
    some(lines, "layers");
  }

  void paste(const std::string& toml) { more("  " + safe_toml(toml)); }

  void allow(const std::string& entries) {
    if (entries.empty()) return;
    field("allow", "should it be meant (every report then tells it), paste into imgbuild.toml:");
    const auto lines = split(trim(entries), '\n');
    std::size_t count = 0, shown = 0;
    for (const auto& text : lines) {
      if (text == "[[allow]]" && ++count > at_most(most_places)) continue;
      if (count > at_most(most_places)) continue;
      paste(text);
      shown = count;
    }
    if (count > shown) more(and_more(count - shown, "entries"));
  }

  const Redaction& redaction_;
  const Style style_;
  std::string text_;
};

std::size_t secrets_in(const std::vector<Finding>& findings) {
  std::vector<std::string> labels;
  for (const auto& one : findings) labels.push_back(one.secret);
  std::sort(labels.begin(), labels.end());
  return static_cast<std::size_t>(std::unique(labels.begin(), labels.end()) - labels.begin());
}

}  // namespace

Verdict verdict_of(const Report& report) {
  Verdict worst = report.not_audited.empty() ? Verdict::clean : Verdict::incomplete;
  if (report.verdict) worst = std::max(worst, *report.verdict);
  for (const auto& image : report.images) worst = std::max(worst, image.verdict());
  return worst;
}

Verdict verdict_of(const StageReport& report) {
  const bool refused = std::any_of(report.withheld.begin(), report.withheld.end(),
                                   [](const Withheld& one) { return one.action == Withheld::Action::refuse; });
  return refused ? Verdict::leak : Verdict::clean;
}

std::string staged_line(std::uint64_t files, std::uint64_t bytes, const std::string& digest, std::size_t withheld,
                        std::uint64_t seen_before) {
  std::string text = "staged " + plural(files, "file", "files") + " (" + human_size(bytes) + ")";
  if (!digest.empty()) text += " " + digest;
  if (seen_before > 0) text += ", " + std::to_string(seen_before) + " as looked at before";
  return text + (withheld == 0 ? ", nothing withheld" : ", withheld " + std::to_string(withheld));
}

std::string coverage_line(const Coverage& seen) {
  std::string text = plural(seen.layers, "layer", "layers");
  if (seen.layers_cached > 0) text += " (" + std::to_string(seen.layers_cached) + " known from before)";
  text += ", " + plural(seen.entries, "entry", "entries") + ", " + human_size(seen.bytes);
  if (seen.archives > 0) text += ", " + plural(seen.archives, "archive", "archives") + " opened";
  if (seen.git_objects > 0) text += ", " + plural(seen.git_objects, "git object", "git objects");
  return text;
}

std::string weight_line(const ImageRecord& record) {
  std::uint64_t hidden = 0, of_base = 0;
  for (const auto& layer : record.layers) {
    hidden += layer.hidden;
    if (static_cast<std::size_t>(layer.index) < record.base_layers) of_base += layer.bytes;
  }
  std::string text = "weighs " + human_size(record.coverage.bytes);
  if (!record.base.empty())
    text += ", of which " + human_size(of_base) + " (" + plural(record.base_layers, "layer", "layers") +
            ") are shared with " + printable(record.base);
  if (hidden > 0) text += ", " + human_size(hidden) + " hidden by later layers";
  return text;
}

std::string ledger_line(const Signature& signature) {
  const std::string whom = (signature.user.empty() ? "(nobody)" : printable(signature.user)) + "@" +
                           (signature.host.empty() ? "(no host)" : printable(signature.host)) + " with " +
                           printable(signature.key);
  if (signature.granted) return "signed for " + whom;
  return "refused to sign for " + whom + (signature.why.empty() ? "" : ": " + printable(signature.why));
}

std::string facts_as_text(const BuildFacts& facts, const Redaction& redaction, const Style& style) {
  Writer writer(redaction, style);
  writer.build(facts);
  return writer.take();
}

std::string report_as_text(const Report& report, const Redaction& redaction, const Style& style) {
  Writer writer(redaction, style);
  std::size_t secrets = 0, known = 0, gaps = 0;
  for (const auto& image : report.images) {
    if (&image != &report.images.front()) writer.line();
    writer.image(image);
    secrets += secrets_in(image.leaks);
    known += secrets_in(image.known);
    for (const auto& gap : image.coverage.not_scanned) gaps += gap.open() ? 1 : 0;
  }
  for (const auto& target : report.not_audited) writer.line(writer.bad("NOT AUDITED") + "  " + writer.printed(target));
  writer.remarks(report.allow_remarks);
  std::string why;
  const Verdict verdict = verdict_of(report);
  if (verdict == Verdict::leak && secrets > 0)
    why = ": " + plural(secrets, "secret", "secrets") + " in " + plural(report.images.size(), "image", "images");
  if (verdict == Verdict::incomplete && gaps > 0) {
    why = ": " + plural(gaps, "thing", "things") + " could not be looked at";
    if (secrets > 0) why += "; " + plural(secrets, "secret", "secrets") + " in what could";
  }
  if (known > 0) why += " (" + plural(known, "secret", "secrets") + " known from the baseline)";
  const std::string word = name_of(verdict);
  writer.line("verdict: " + (verdict == Verdict::clean ? writer.good(word) : writer.bad(word)) + why);
  return writer.take();
}

std::string report_as_text(const StageReport& report, const Redaction& redaction, const Style& style) {
  Writer writer(redaction, style);
  std::size_t refused = 0;
  for (const auto& one : report.withheld) {
    writer.withheld(one);
    refused += one.action == Withheld::Action::refuse ? 1 : 0;
  }
  writer.staged_anyway(report.allowed, report.notes);
  if (refused > 0)
    writer.line(writer.bad("refused") + ": " + plural(refused, "finding", "findings") +
                " in files that are not changed for you; nothing was staged");
  else
    writer.line(staged_line(report.files, report.bytes, report.digest, report.withheld.size(), report.seen_before));
  return writer.take();
}

}  // namespace imgbuild
