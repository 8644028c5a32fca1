// JUnit's XML, as CI systems read it: one suite for each image, whose cases are what was found. A suite without a case
// would read as "nothing ran", so that a clean image is one case that passed.
#include "base/text.hpp"
#include "report/told.hpp"
#include "report/xml.hpp"

namespace imgbuild {
namespace {

using Kind = Issue::Kind;

std::string attribute(const char* name, const std::string& value) {
  return std::string(" ") + name + "=\"" + xml_text(value) + "\"";
}

std::string body_of(const Issue& issue) {
  const std::string title = attribute("message", headline(issue));
  const std::string text = xml_text(join(long_text(issue), "\n"));
  switch (issue.kind) {
    case Kind::leak:
    case Kind::refused:
      return "<failure" + title + attribute("type", issue.finding.rule) + ">" + text + "</failure>";
    case Kind::gap:
    case Kind::not_audited:
      return "<error" + title + attribute("type", issue.finding.rule) + ">" + text + "</error>";
    case Kind::known:
    case Kind::allowed:
    case Kind::published:
      return "<skipped" + attribute("message", std::string(name_of(issue.kind)) + ": " + printable(issue.finding.why)) +
             "/>";
    default:
      return "<system-out>" + text + "</system-out>";
  }
}

std::string case_name(const Issue& issue) {
  const Finding& finding = issue.finding;
  std::string name = finding.rule;
  if (!finding.secret.empty()) name += " " + finding.secret;
  if (!finding.locations.empty()) name += " in " + place_in(issue, finding.locations.front());
  return name;
}

}  // namespace

std::string as_junit(const Told& told) {
  struct Suite {
    std::string cases;
    std::size_t tests = 0, failures = 0, errors = 0, skipped = 0;
  };
  std::vector<Suite> suites(told.subjects.size());
  for (const auto& issue : told.issues) {
    Suite& suite = suites[issue.subject];
    ++suite.tests;
    if (issue.kind == Kind::leak || issue.kind == Kind::refused) ++suite.failures;
    if (issue.kind == Kind::gap || issue.kind == Kind::not_audited) ++suite.errors;
    if (issue.kind == Kind::known || issue.kind == Kind::allowed || issue.kind == Kind::published) ++suite.skipped;
    suite.cases += "    <testcase" + attribute("classname", std::string("imgbuild.") + name_of(issue.kind)) +
                   attribute("name", case_name(issue)) + ">" + body_of(issue) + "</testcase>\n";
  }
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"imgbuild\">\n";
  for (std::size_t i = 0; i < suites.size(); ++i) {
    Suite& suite = suites[i];
    const Subject& subject = told.subjects[i];
    if (suite.failures + suite.errors == 0) {
      ++suite.tests;
      suite.cases += "    <testcase classname=\"imgbuild\" name=\"no credential ships\"/>\n";
    }
    out += "  <testsuite" + attribute("name", printable(subject.name)) +
           attribute("tests", std::to_string(suite.tests)) + attribute("failures", std::to_string(suite.failures)) +
           attribute("errors", std::to_string(suite.errors)) + attribute("skipped", std::to_string(suite.skipped)) +
           ">\n";
    if (!subject.id.empty())
      out += "    <properties><property name=\"image\"" + attribute("value", subject.id) + "/></properties>\n";
    out += suite.cases;
    std::string told_last = subject.summary;
    if (i + 1 == suites.size())
      for (const auto& remark : told.remarks) told_last += "\n" + remark;
    if (!told_last.empty()) out += "    <system-out>" + xml_text(told_last) + "</system-out>\n";
    out += "  </testsuite>\n";
  }
  return out + "</testsuites>\n";
}

}  // namespace imgbuild
