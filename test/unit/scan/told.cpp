// Passwords that people tell in the words of their languages, and what looks like one there: testdata/scan/told.txt.
#include <catch2/catch.hpp>
#include <fstream>
#include <string>

#include "../whole.hpp"
#include "base/bytes.hpp"
#include "scan/scanner.hpp"

using namespace imgbuild;

namespace {

void replace(std::string& text, std::string_view mark, std::string_view by) {
  for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + by.size()))
    text.replace(at, mark.size(), by);
}

}  // namespace

TEST_CASE("a password told in words is found in whatever language, and what is said of passwords tells none") {
  const std::string password = whole("Kes{{}}trel+1464");
  std::ifstream file(TESTDATA "/scan/told.txt");
  REQUIRE(file);
  std::size_t told = 0, others = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("# What") || line.starts_with("# with")) continue;
    const bool tells = line.find("{X}") != std::string::npos;
    std::string text = line + "\n";
    replace(text, "\\n", "\n");
    replace(text, "\\t", "\t");
    replace(text, "{X}", password);
    INFO(line);
    const auto hits = Scanner::builtin()->scan(view_of(text), {"note.txt"});
    CHECK(hits.empty() != tells);
    for (const auto& hit : hits) CHECK(text.substr(hit.begin, hit.end - hit.begin).find(password) != std::string::npos);
    (tells ? told : others) += 1;
  }
  CHECK(told > 400);
  CHECK(others > 300);
}
