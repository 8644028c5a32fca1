// The list compiler: publishedc OUT.cpp OUT.bin LIST
//
// Runs at build time. Turns scrubbers/published.txt (lines "WHERE DIGEST"; see scrubbers/published.py) into a table to
// be searched in the program: digests cut to 128 bits, ascending, and beside them where each is from. What it cannot
// read, and what is not in order, it refuses: the list is made, not written.
#include "scan/published_list.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace imgbuild {
namespace {

void compile(const std::string& source_path, const std::string& data_path, const std::string& list_path) {
  std::map<PublishedDigest, std::string> entries;
  std::string before;
  std::size_t number = 0;
  for (const auto& line : split(read_file(list_path), '\n')) {
    ++number;
    if (line.empty() || line.starts_with("#")) continue;
    const auto bad = [&](const char* what) { return Error(list_path + ":" + std::to_string(number) + ": " + what); };
    const std::size_t space = line.rfind(' ');
    const auto digest = read_published_digest(space == std::string::npos ? "" : line.substr(space + 1));
    if (!digest) throw bad("it does not end with a digest");
    if (line.find(": ") >= space) throw bad("it does not say where it is from");
    if (line <= before) throw bad("not in order");
    entries.emplace(*digest, line.substr(0, space));  // of one thing in several places, the first is told
    before = line;
  }
  std::string digests, places, text;
  for (const auto& [digest, where] : entries) {
    const auto place = static_cast<std::uint32_t>(text.size());
    digests.append(reinterpret_cast<const char*>(digest.data()), digest.size());
    places.append(reinterpret_cast<const char*>(&place), sizeof place);
    text.append(where).push_back('\0');
  }
  write_file(data_path, digests + places + text);
  write_file(source_path,
             "// Made by lib/scan/compiler from scrubbers/published.txt.\n#include \"scan/published_list.hpp\"\n\n"
             "__asm__(\".section .rodata\\n.balign 64\\nimgbuild_published:\\n.incbin \\\"" +
                 data_path +
                 "\\\"\\n.byte 0\\n.previous\\n\");\nextern \"C\" const char imgbuild_published[];\n\n"
                 "namespace imgbuild {\n\nconst PublishedList& published_list() {\n"
                 "  static const PublishedList list{\n"
                 "      reinterpret_cast<const PublishedDigest*>(imgbuild_published),\n"
                 "      reinterpret_cast<const std::uint32_t*>(imgbuild_published + " +
                 std::to_string(digests.size()) + "),\n      imgbuild_published + " +
                 std::to_string(digests.size() + places.size()) + ", " + std::to_string(entries.size()) +
                 "};\n  return list;\n}\n\n}  // namespace imgbuild\n");
}

}  // namespace
}  // namespace imgbuild

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: publishedc OUT.cpp OUT.bin LIST\n");
    return 2;
  }
  try {
    imgbuild::compile(argv[1], argv[2], argv[3]);
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "publishedc: %s\n", e.what());
    return 1;
  }
}
