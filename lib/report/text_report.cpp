// The report for people. What to do stands with what was found: a reader who has never seen the tool should know which
// instruction to change, where to revoke the credential, and what to paste should the finding be meant.
#include <algorithm>
#include <map>

#include "base/text.hpp"
#include "report/report.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t most_locations = 10;  // told in text for one finding; the JSON form has all
constexpr std::size_t longest_instruction = 160;

std::string plural(std::uint64_t count, const std::string& one, const std::string& many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

// Cut at a character, not within one.
std::string shortened(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return text.substr(0, most) + "...";
}

class Writer {
 public:
  Writer(const Redaction& redaction, bool colour) : redaction_(redaction), colour_(colour) {}

  void image(const ImageRecord& raw) {
    const ImageRecord record = redaction_(raw);
    line(strong(printable(record.source)) + "  " + record.id + "  " + printable(record.platform) + ", " +
         plural(record.layers.size(), "layer", "layers"));
    findings(record.leaks, "LEAK");
    findings(record.allowed, "allowed");
    findings(record.published, "published");
    notes(record.notes);
    coverage(record.coverage);
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
      for (const auto& place : finding.locations) line("note " + in_context(place) + ": " + finding.rule);
    }
  }

  void build(const BuildFacts& facts) {
    for (const auto& one : facts.withheld) withheld(one);
    for (const auto& signature : facts.ledger) line(ledger_line(redaction_(signature)));
    listed("stub ", facts.stubs, ": made by the engine, not by the script");
    listed("weak secret ", facts.weak_secrets, ": too short or too common, it was not looked for");
  }

  void line(const std::string& text = {}) { text_ += text + "\n"; }
  std::string good(const std::string& word) const { return coloured("32", word); }
  std::string bad(const std::string& word) const { return coloured("31;1", word); }
  std::string printed(const std::string& raw) const { return printable(redaction_(raw)); }
  std::string take() { return std::move(text_); }

 private:
  std::string coloured(const char* code, const std::string& word) const {
    return colour_ ? std::string("\x1b[") + code + "m" + word + "\x1b[0m" : word;
  }
  std::string strong(const std::string& word) const { return coloured("1", word); }

  void field(std::string name, const std::string& value) {
    if (value.empty()) return;
    if (name.size() < 8) name.resize(8, ' ');
    line("  " + name + "  " + value);
  }
  void more(const std::string& value) { line("            " + value); }

  void listed(const std::string& before, const std::vector<std::string>& all, const std::string& after) {
    for (const auto& one : all) line(before + printed(one) + after);
  }

  static std::string in_context(const Location& place) {
    return printable(place.path) + (place.line > 0 ? ":" + std::to_string(place.line) : "");
  }

  // One secret may be known by several rules: they stand under one heading.
  void findings(const std::vector<Finding>& all, const char* heading) {
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
      const bool leak = heading[0] == 'L';
      line();
      line((leak ? bad(heading) : strong(heading)) + " " + secret + "  " + name_of(worst));
      for (const Finding* each : same) finding(*each, leak);
    }
  }

  void finding(const Finding& one, bool leak) {
    field("what", one.rule + ": " + printable(one.says));
    if (one.key) key(*one.key);
    if (!one.why.empty()) field("because", printable(one.why));
    bool first = true;
    for (std::size_t i = 0; i < std::min(one.locations.size(), most_locations); ++i) {
      if (first)
        field("where", place_of(one.locations[i]));
      else
        more(place_of(one.locations[i]));
      if (const std::string story = life_of(one.locations[i]); !story.empty()) more("  " + story);
      first = false;
    }
    if (one.locations.size() > most_locations)
      more("and " + std::to_string(one.locations.size() - most_locations) + " more (--format json tells all)");
    if (!one.packaged.empty()) field("package", printable(one.packaged));
    if (!leak) return;
    field("fix", printable(one.fix));
    if (!one.rotate.empty()) field("revoke", printable(one.rotate));
    allow(one.allow);
  }

  void key(const KeyFacts& facts) {
    std::string text = facts.type;
    if (facts.bits > 0) text += ", " + std::to_string(facts.bits) + " bits";
    text += facts.encrypted ? ", encrypted" : ", not encrypted";
    if (!facts.fingerprint.empty()) text += ", " + facts.fingerprint;
    field("key", text);
    for (const auto& match : facts.matches) more("it opens: " + printable(match));
  }

  // How it came in, and whether it went.
  static std::string life_of(const Location& place) {
    const std::string by = shortened(printable(trim(place.created_by)), longest_instruction);
    if (place.layer < 0) return by.empty() ? "" : "set by " + by;
    std::string story = "added in layer " + std::to_string(place.layer);
    if (!by.empty()) story += " by " + by;
    if (place.state == Location::State::present) return story + "; it is in the final file system";
    story += place.state == Location::State::deleted ? "; deleted" : "; overwritten";
    if (place.by_layer >= 0) story += " by layer " + std::to_string(place.by_layer);
    return story + ", and still in the image";
  }

  void notes(const std::vector<Finding>& all) {
    if (all.empty()) return;
    line();
    for (const auto& one : all) {
      std::string text = std::string("note      ") + name_of(one.severity) + "  " + one.rule;
      if (!one.locations.empty()) text += "  " + place_of(one.locations.front());
      if (one.locations.size() > 1) text += " and " + std::to_string(one.locations.size() - 1) + " more";
      line(text);
    }
  }

  void coverage(const Coverage& seen) {
    line();
    line("looked at " + coverage_line(seen));
    for (const auto& gap : seen.not_scanned) {
      std::string where = gap.layer >= 0 ? "layer " + std::to_string(gap.layer) + ": " : "";
      where += printable(gap.path) + " (" + human_size(gap.bytes) + "): " + printable(gap.why);
      if (!gap.allowed.empty()) {
        line("allowed   " + where + "; " + printable(gap.allowed));
        continue;
      }
      line(bad("NOT LOOKED AT") + "  " + where);
      if (!gap.sha256.empty()) {
        more("where that is meant, paste into imgbuild.toml:");
        paste("[[allow]]");
        paste("path = " + toml_string(gap.path));
        paste("sha256 = \"" + gap.sha256 + "\"");
        paste("reason = \"...\"");
      }
    }
    if (!seen.vault_not_looked_for.empty()) {
      std::vector<std::string> layers;
      for (const int layer : seen.vault_not_looked_for) layers.push_back(std::to_string(layer));
      line("the values of this run were not looked for in the base's layers " + join(layers, ", "));
    }
  }

  // A TOML basic string.
  static std::string toml_string(const std::string& text) {
    std::string out = "\"";
    char escape[8];
    for (const char c : text) {
      if (c == '"' || c == '\\') {
        (out += '\\') += c;
      } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
        std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned char>(c));
        out += escape;
      } else {
        out += c;
      }
    }
    return out += '"';
  }

  // TOML has escapes of its own: it is shown as it is, unless that would not be safe to show.
  void paste(const std::string& toml) {
    std::string plain;
    std::copy_if(toml.begin(), toml.end(), std::back_inserter(plain), [](char c) { return c != '\\'; });
    more("  " + (printable(plain) == plain ? toml : printable(toml)));
  }

  void allow(const std::string& entry) {
    if (entry.empty()) return;
    field("allow", "should it be meant (every report then tells it), paste into imgbuild.toml:");
    for (const auto& text : split(trim(entry), '\n')) paste(text);
  }

  const Redaction& redaction_;
  const bool colour_;
  std::string text_;
};

}  // namespace

Verdict verdict_of(const Report& report) {
  Verdict worst = report.not_audited.empty() ? Verdict::clean : Verdict::incomplete;
  if (report.verdict) worst = std::max(worst, *report.verdict);
  for (const auto& image : report.images) worst = std::max(worst, image.verdict());
  return worst;
}

std::string staged_line(std::uint64_t files, std::uint64_t bytes, const std::string& digest, std::size_t withheld) {
  std::string text = "staged " + plural(files, "file", "files") + " (" + human_size(bytes) + ")";
  if (!digest.empty()) text += " " + digest;
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

std::string ledger_line(const Signature& signature) {
  const std::string whom = (signature.user.empty() ? "(nobody)" : printable(signature.user)) + "@" +
                           (signature.host.empty() ? "(no host)" : printable(signature.host)) + " with " +
                           printable(signature.key);
  if (signature.granted) return "signed for " + whom;
  return "refused to sign for " + whom + (signature.why.empty() ? "" : ": " + printable(signature.why));
}

std::string facts_as_text(const BuildFacts& facts, const Redaction& redaction, bool colour) {
  Writer writer(redaction, colour);
  writer.build(facts);
  return writer.take();
}

std::string report_as_text(const Report& report, const Redaction& redaction, bool colour) {
  Writer writer(redaction, colour);
  std::size_t secrets = 0, gaps = 0;
  for (const auto& image : report.images) {
    if (&image != &report.images.front()) writer.line();
    writer.image(image);
    std::vector<std::string> labels;
    for (const auto& leak : image.leaks) labels.push_back(leak.secret);
    std::sort(labels.begin(), labels.end());
    secrets += static_cast<std::size_t>(std::unique(labels.begin(), labels.end()) - labels.begin());
    for (const auto& gap : image.coverage.not_scanned) gaps += gap.allowed.empty() ? 1 : 0;
  }
  for (const auto& target : report.not_audited) writer.line(writer.bad("NOT AUDITED") + "  " + writer.printed(target));
  switch (verdict_of(report)) {
    case Verdict::clean:
      writer.line("verdict: " + writer.good("clean"));
      break;
    case Verdict::incomplete:
      writer.line("verdict: " + writer.bad("incomplete") +
                  (gaps > 0 ? ": " + plural(gaps, "thing", "things") + " could not be looked at" : ""));
      break;
    case Verdict::leak:
      writer.line("verdict: " + writer.bad("leak") +
                  (secrets > 0 ? ": " + plural(secrets, "secret", "secrets") + " in " +
                                     plural(report.images.size(), "image", "images")
                               : ""));
      break;
  }
  return writer.take();
}

std::string report_as_text(const StageReport& report, const Redaction& redaction, bool colour) {
  Writer writer(redaction, colour);
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
    writer.line(staged_line(report.files, report.bytes, report.digest, report.withheld.size()));
  return writer.take();
}

}  // namespace imgbuild
