// A Dockerfile of any bytes is read, looked at, and laid beside a history made of its own lines.
#include <cstdlib>

#include "base/text.hpp"
#include "dockerfile/lint.hpp"
#include "dockerfile/origin.hpp"

using namespace imgbuild;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto scanner = Scanner::builtin();
  const std::string text(reinterpret_cast<const char*>(data), size);
  const Dockerfile file = parse_dockerfile(text);
  const std::size_t lines = split(text, '\n').size();
  std::vector<Origins::Line> history;
  for (const auto& each : file.instructions) {
    if (each.line == 0 || each.last_line < each.line || each.last_line > lines) std::abort();
    if (each.shown().size() > each.name.size() + 2 * size + 100) std::abort();
    history.push_back({each.name + " " + each.text, each.name == "ENV"});
  }
  for (const auto& stage : file.stages)
    if (stage.first > stage.end || stage.end > file.instructions.size()) std::abort();
  for (const auto& advice : lint(file, {scanner.get(), false, false, {}}))
    if (advice.line == 0 || advice.line > lines) std::abort();
  const Origins origins(file, "", history);
  Location place;
  place.layer = 0;
  origins.of(place);
  return 0;
}
