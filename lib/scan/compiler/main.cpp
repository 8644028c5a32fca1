// The rule compiler: rulec OUT.cpp OUT.bin FAMILY.toml...
//
// Runs at build time. It checks every family as the program would and writes a source file that holds what they say, as
// it is in memory (taken in from OUT.bin by the assembler: megabytes of numbers would be slow to compile).
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "scan/pack.hpp"
#include "scan/rule.hpp"
#include "scan/written_lines.hpp"

namespace imgbuild {
namespace {

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

void compile(const std::string& source_path, const std::string& data_path, std::vector<std::string> paths) {
  std::sort(paths.begin(), paths.end(), [](const auto& a, const auto& b) { return name_of(a) < name_of(b); });
  std::vector<Rule> rules;
  for (const auto& path : paths)
    for (auto& rule : read_rules(read_file(path), name_of(path))) {
      for (auto& text : rule.text) text = with_wide_lines(text);
      rules.push_back(std::move(rule));
    }
  const std::string data = packed(Knowledge::of(std::move(rules)));
  write_file(data_path, data);
  write_file(source_path,
             "// Made by lib/scan/compiler from scrubbers/.\n#include \"scan/builtin.hpp\"\n\n"
             "__asm__(\".section .rodata\\n.balign 64\\nimgbuild_knowledge:\\n.incbin \\\"" +
                 data_path +
                 "\\\"\\n.previous\\n\");\nextern \"C\" const char imgbuild_knowledge[];\n\nnamespace imgbuild {\n\n"
                 "std::string_view builtin() { return {imgbuild_knowledge, " +
                 std::to_string(data.size()) + "}; }\n\n}  // namespace imgbuild\n");
}

}  // namespace
}  // namespace imgbuild

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: rulec OUT.cpp OUT.bin FAMILY.toml...\n");
    return 2;
  }
  try {
    imgbuild::compile(argv[1], argv[2], {argv + 3, argv + argc});
    return 0;
  } catch (const imgbuild::Error& e) {
    std::fprintf(stderr, "rulec: %s\n", e.what());
    if (!e.hint().empty()) std::fprintf(stderr, "hint: %s\n", e.hint().c_str());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "rulec: %s\n", e.what());
  }
  return 1;
}
