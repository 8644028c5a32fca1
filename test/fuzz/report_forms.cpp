// Any bytes as what an image may say: names, instructions, reasons. Fields end in a zero byte. Every form must be what
// it claims to be, and no field may add a line, an element or a command to it. A baseline is read as it comes, and one
// that was written must be read again.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.hpp"
#include "report/answers.hpp"
#include "report/baseline.hpp"
#include "report/report.hpp"

using namespace imgbuild;

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

class Fields {
 public:
  explicit Fields(std::string_view text) : all_(split(text, '\0')) {}
  std::string next() { return all_[at_++ % all_.size()]; }

 private:
  std::vector<std::string> all_;
  std::size_t at_ = 0;
};

Finding finding_from(Fields& fields) {
  Finding one;
  one.rule = "a.b";
  one.says = "a token";
  one.secret = "S1";
  one.identity = Vault::identify(fields.next());
  for (int i = 0; i < 3; ++i) {
    Location place;
    place.kind = i == 0 ? Location::Kind::env : Location::Kind::file;
    place.layer = i - 1;
    place.path = fields.next();
    place.line = static_cast<std::uint32_t>(i);
    if (i == 2) place.inside = {fields.next(), fields.next()};
    place.created_by = fields.next();
    one.locations.push_back(std::move(place));
  }
  one.key = KeyFacts{"rsa", 2048, false, "SHA256:" + std::string(43, 'A'), {"image: " + fields.next()}};
  one.packaged = fields.next();
  one.why = fields.next();
  one.allow = "[[allow]]\nat = " + toml_quoted(fields.next()) + "\n";
  return one;
}

// One tree of our own elements, and no others.
void check_elements(const std::string& text, const std::set<std::string>& known) {
  std::vector<std::string> open;
  for (std::size_t at = 0; (at = text.find('<', at)) != std::string::npos;) {
    std::size_t end = at + 1;
    for (bool quoted = false; end < text.size() && (quoted || text[end] != '>'); ++end) {
      must(text[end] != '<');
      if (text[end] == '"') quoted = !quoted;
    }
    must(end < text.size());
    const std::string tag = text.substr(at + 1, end - at - 1);
    at = end;
    if (tag[0] == '?' || tag[0] == '!') continue;
    if (tag[0] == '/') {
      must(!open.empty() && "/" + open.back() == tag);
      open.pop_back();
      continue;
    }
    const std::string name = tag.substr(0, tag.find_first_of(" /\n"));
    must(known.count(name) == 1);
    if (tag.back() != '/' && name != "br" && name != "meta") open.push_back(name);
  }
  must(open.empty());
}

void check_text(const std::string& text) {
  for (std::string_view left = text; !left.empty();) {
    const std::size_t length = utf8_length(left);
    must(length > 0);
    must(length > 1 || left[0] == '\n' || (static_cast<unsigned char>(left[0]) >= 0x20 && left[0] != 0x7F));
    left.remove_prefix(length);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto scanner = Scanner::builtin();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Vault vault;
  const Redaction redaction(*scanner, vault);
  Fields fields(text);
  Report report;
  ImageRecord image;
  image.id = "sha256:aa";
  image.source = fields.next();
  image.platform = fields.next();
  image.leaks = {finding_from(fields)};
  image.known = image.notes = image.allowed = image.published = {finding_from(fields)};
  image.coverage.not_scanned = {{0, fields.next(), fields.next(), 1, "sha256:bb", ""},
                                {-1, fields.next(), fields.next(), 1, "", fields.next()}};
  report.images = {image, image};
  report.not_audited = {fields.next()};
  report.allow_remarks = {{AllowRemark::State::unused, fields.next(), fields.next(), ""}};

  for (const auto format : {Format::json, Format::sarif, Format::gitlab})
    must(!nlohmann::json::parse(render(format, report, *scanner, redaction), nullptr, false).is_discarded());
  const std::string github = render(Format::github, report, *scanner, redaction);
  check_text(github);
  std::size_t commands = 0;
  for (const auto& line : split(trim(github), '\n')) {
    must(line.rfind("::error ", 0) == 0 || line.rfind("::warning ", 0) == 0 || line.rfind("::notice ", 0) == 0);
    ++commands;
  }
  must(commands == 2 * 6 + 3);
  const std::string junit = render(Format::junit, report, *scanner, redaction);
  check_text(junit);
  check_elements(junit, {"testsuites", "testsuite", "testcase", "failure", "error", "skipped", "system-out",
                         "properties", "property"});
  const std::string html = render(Format::html, report, *scanner, redaction);
  check_text(html);
  check_elements(html, {"html", "head",    "meta", "title", "style", "body", "h1",  "h2", "h3",      "p",
                        "span", "section", "dl",   "dt",    "dd",    "code", "pre", "br", "details", "summary"});
  check_text(render(Format::text, report, *scanner, redaction));

  try {
    Baseline::read(text, "x").apply(image, vault, redaction);
  } catch (const Error&) {
  }
  std::size_t left_out = 0;
  const Baseline known = Baseline::read(write_baseline({image}, vault, redaction, left_out), "x");
  known.apply(image, vault, redaction);
  must(image.leaks.empty());
  return 0;
}
