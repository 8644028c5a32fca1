// The rule compiler: rulec OUT.cpp OUT.bin FAMILY.toml...
//
// Runs at build time. It checks every family as the program would and writes a source file that holds what they say, as
// it is in memory, and the pattern database of all of them together, once per processor level (taken in from OUT.bin by
// the assembler: a megabyte of numbers would be slow to compile). At run time nothing is compiled, and nothing that
// somebody could have written to is ever deserialised.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "scan/pack.hpp"
#include "scan/rule.hpp"

namespace imgbuild {
namespace {

struct Slice {
  std::size_t begin, size;
};

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

void compile(const std::string& source_path, const std::string& data_path, std::vector<std::string> paths) {
  std::sort(paths.begin(), paths.end(), [](const auto& a, const auto& b) { return name_of(a) < name_of(b); });
  std::string data;
  std::vector<Rule> rules;
  const auto add = [&data](const std::string& bytes) {
    data.resize((data.size() + 63) / 64 * 64, '\0');
    const Slice slice{data.size(), bytes.size()};
    data += bytes;
    return slice;
  };
  for (const auto& path : paths)
    for (auto& rule : read_rules(read_file(path), name_of(path))) rules.push_back(std::move(rule));
  const Knowledge knowledge = Knowledge::of(std::move(rules));
  const Slice known = add(packed(knowledge));
  std::vector<Slice> databases;
  for (const auto level : processor_levels()) databases.push_back(add(compile_database(knowledge.plan, level)));
  data += '\0';
  write_file(data_path, data);

  std::string out =
      "// Made by lib/scan/compiler from scrubbers/.\n#include \"scan/builtin.hpp\"\n\n"
      "__asm__(\".section .rodata\\n.balign 64\\nimgbuild_knowledge:\\n.incbin \\\"" +
      data_path +
      "\\\"\\n.previous\\n\");\nextern \"C\" const char imgbuild_knowledge[];\n\nnamespace imgbuild {\n\n"
      "const Builtin& builtin() {\n  static const Builtin all{\n      ";
  const auto view = [](const Slice& slice) {
    return "{imgbuild_knowledge + " + std::to_string(slice.begin) + ", " + std::to_string(slice.size) + "}";
  };
  out += view(known) + ",\n      {";
  for (std::size_t i = 0; i < databases.size(); ++i)
    out += "{" + std::to_string(processor_levels()[i]) + "ULL, " + view(databases[i]) + "},\n       ";
  out += "}};\n  return all;\n}\n\n}  // namespace imgbuild\n";
  write_file(source_path, out);
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
