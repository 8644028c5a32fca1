// One page for people who were sent a file: it loads nothing and runs nothing (its own policy forbids it), so that it
// can be mailed, kept as an artefact and opened from a disk. Every value is escaped where it is put in.
#include "base/text.hpp"
#include "report/mending.hpp"
#include "report/told.hpp"
#include "report/xml.hpp"

namespace imgbuild {
namespace {

using Kind = Issue::Kind;

constexpr const char* head = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>imgbuild: audit</title>
<style>
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em; overflow-wrap: anywhere }
code, pre { font: 13px/1.5 ui-monospace, monospace; white-space: pre-wrap }
pre { border: 1px solid #8886; padding: .5em; margin: .3em 0 }
section { border-left: 4px solid #888; padding: .1em 1em; margin: 1em 0 }
section.stop { border-color: #c22 }
h2 { margin-top: 2em } h3 { margin: .4em 0 }
dt { float: left; clear: left; width: 6em; opacity: .7 } dd { margin: 0 0 .2em 6.5em }
.clean { color: #282 } .leak, .incomplete { color: #c22 }
</style>
</head>
<body>
)";

std::string element(const std::string& name, const std::string& text) {
  return "<" + name + ">" + xml_text(text) + "</" + name + ">";
}

std::string row(const std::string& name, const std::string& html) {
  return html.empty() ? "" : "<dt>" + name + "</dt><dd>" + html + "</dd>\n";
}

std::string link(const std::string& raw) {
  const std::string url = xml_text(printable(raw));
  if (raw.rfind("https://", 0) != 0) return url;
  return "<a rel=\"noreferrer\" href=\"" + url + "\">" + url + "</a>";
}

std::string places(const Issue& issue) {
  std::string html;
  for (const auto& place : issue.finding.locations) {
    html += element("code", place_in(issue, place));
    const bool has_story = !issue.in_tree && issue.finding.rule != not_looked_at;
    if (const std::string story = has_story ? story_of(place) : ""; !story.empty()) html += "<br>" + xml_text(story);
    html += "<br>\n";
  }
  return html;
}

std::string section(const Issue& issue) {
  const Finding& finding = issue.finding;
  std::string title = name_of(issue.kind);
  if (!finding.secret.empty()) title += " " + finding.secret;
  std::string html = std::string("<section") + (issue.hinders() ? " class=\"stop\"" : "") + ">\n" +
                     element("h3", title + ": " + finding.rule) + "\n<dl>\n";
  html += row("what", xml_text(headline(issue)));
  html += row("severity", name_of(finding.severity));
  if (finding.key) {
    std::string key = xml_text(key_line(*finding.key));
    for (const auto& match : finding.key->matches) key += "<br>it opens: " + xml_text(printable(match));
    html += row("key", key);
  }
  html += row("because", xml_text(printable(finding.why)));
  html += row("where", places(issue));
  html += row("package", xml_text(printable(finding.packaged)));
  if (issue.kind == Kind::leak || issue.kind == Kind::known) {
    std::string steps;
    for (const auto& step : mending(finding)) steps += xml_text(step) + "<br>\n";
    html += row("fix", steps);
  }
  if (issue.hinders() || issue.kind == Kind::known) {
    html += row("revoke", finding.rotate.empty() ? "" : link(finding.rotate));
    std::string entry;
    for (const auto& line : split(trim(finding.allow), '\n')) entry += xml_text(safe_toml(line)) + "\n";
    if (!finding.allow.empty())
      html += row("allow", "should it be meant, paste into imgbuild.toml:<pre>" + entry + "</pre>");
  }
  return html + "</dl>\n</section>\n";
}

}  // namespace

std::string as_html(const Told& told) {
  const std::string verdict = name_of(told.verdict);
  std::string html = head;
  html += "<h1>verdict: <span class=\"" + verdict + "\">" + verdict + "</span></h1>\n";
  for (std::size_t i = 0; i < told.subjects.size(); ++i) {
    const Subject& subject = told.subjects[i];
    html += element("h2", printable(subject.name)) + "\n<p>" + element("code", subject.id) + "<br>" +
            xml_text(printable(subject.summary)) + "</p>\n";
    std::string rest;
    std::size_t count = 0;
    for (const auto& issue : told.issues) {
      if (issue.subject != i) continue;
      if (issue.hinders()) {
        html += section(issue);
      } else {
        rest += section(issue);
        ++count;
      }
    }
    if (count > 0)
      html += "<details><summary>" + plural(count, "more thing, which hinders", "more things, which hinder") +
              " nothing</summary>\n" + rest + "</details>\n";
  }
  for (const auto& remark : told.remarks) html += element("p", remark) + "\n";
  return html + "<p>imgbuild " + IMGBUILD_VERSION + "</p>\n</body>\n</html>\n";
}

}  // namespace imgbuild
