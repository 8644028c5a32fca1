// Workflow commands of GitHub Actions: a line each, which the runner turns into an annotation. What is data must not
// become a command: the runner decodes %25, %0D and %0A in messages, in properties also %3A and %2C, and nothing else.
// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
#include "base/text.hpp"
#include "report/told.hpp"

namespace imgbuild {
namespace {

std::string escaped(std::string_view text, bool property) {
  std::string out;
  for (const char c : text) {
    if (c == '%')
      out += "%25";
    else if (c == '\r')
      out += "%0D";
    else if (c == '\n')
      out += "%0A";
    else if (property && c == ':')
      out += "%3A";
    else if (property && c == ',')
      out += "%2C";
    else
      out += c;
  }
  return out;
}

const char* command_for(const Issue& issue) {
  if (issue.kind == Issue::Kind::gap) return "warning";
  return issue.hinders() ? "error" : "notice";
}

}  // namespace

std::string as_github(const Told& told) {
  std::string out;
  for (const auto& issue : told.issues) {
    using Kind = Issue::Kind;
    if (issue.kind == Kind::published || issue.kind == Kind::withheld) continue;  // ten annotations a step are shown
    const Finding& finding = issue.finding;
    out += std::string("::") + command_for(issue) + " ";
    if (!finding.locations.empty()) {
      const Location& place = finding.locations.front();
      // A line that does not exist in the checkout is refused: only a tree's file has its own.
      out += "file=" + escaped(printable(place.path), true) + ",";
      if (issue.in_tree && place.line > 0) out += "line=" + std::to_string(place.line) + ",";
    }
    out += "title=" + escaped(std::string(name_of(issue.kind)) + ": " + finding.rule, true) + "::";
    std::string text = printable(told.subjects[issue.subject].name);
    for (const auto& line : long_text(issue)) text += "\n" + line;
    out += escaped(text, false) + "\n";
  }
  for (const auto& remark : told.remarks) out += "::notice title=allow-list::" + escaped(remark, false) + "\n";
  const char* command = told.verdict == Verdict::clean ? "notice" : "error";
  return out + "::" + command + " title=imgbuild::verdict: " + name_of(told.verdict) + "\n";
}

}  // namespace imgbuild
