// Images made at random, each audited twice: by one thread to which every byte comes alone, and by several from a
// mapped file. Neither may find what the other does not.
#include <cstdlib>
#include <random>

#include "auditing.hpp"
#include "base/text.hpp"
#include "image_text.hpp"

using namespace imgbuild;
using namespace imgbuild::test;

namespace {

/// Writes an image in the language of image_text.hpp. The same seed writes the same image, but for its keys.
class Author {
 public:
  explicit Author(unsigned seed) : random_(seed) {}

  std::string image() {
    std::string text = "verdict: any\n\n";
    for (unsigned layer = 0, layers = 1 + below(4); layer < layers; ++layer) {
      text +=
          "layer " + std::string(one_of({"", "", "", "gzip ", "zstd "})) + "RUN step " + std::to_string(layer) + "\n";
      // Pieces of a mapped layer are 1 MiB: now and then something lies across two of them.
      if (below(12) == 0) text += "  file srv/large " + filling(1'010'000 + below(30'000)) + "\n";
      for (unsigned i = 0, entries = below(9); i < entries; ++i) text += "  " + entry() + "\n";
      if (below(20) == 0) text += "  tail " + content(300) + "\n";
    }
    if (below(3) == 0) text += "env SETTING=" + secret() + "\n";
    if (below(6) == 0) text += "label note=" + secret() + "\n";
    if (below(6) == 0) text += "history RUN " + secret() + "\n";
    return text;
  }

 private:
  unsigned below(unsigned most) { return std::uniform_int_distribution<unsigned>(0, most - 1)(random_); }
  const char* one_of(std::vector<const char*> words) { return words[below(static_cast<unsigned>(words.size()))]; }

  std::string path() {
    std::string path = one_of({"app", "etc", "root/.ssh", "srv/data", "usr/share/doc"});
    // Few names, so that layers overwrite, delete and link what others have brought.
    return path + "/" + one_of({"a", "b", "id_ed25519", ".npmrc", "config.json", "x.pem"});
  }

  std::string entry() {
    const std::string at = path();
    switch (below(18)) {
      case 0:
        return "file " + at.substr(0, at.rfind('/') + 1) + ".wh." + at.substr(at.rfind('/') + 1) + " ";
      case 1:
        return "file " + at.substr(0, at.rfind('/') + 1) + ".wh..wh..opq ";
      case 2:
        return "hardlink " + at + " " + path();
      case 3:
        return "symlink " + at + " " + (below(4) == 0 ? "https://me:" + word(14) + "@host.test/x" : path());
      case 4:
        return "xattr " + at + " user.note=" + secret();
      case 5:
        return "pax " + at + " comment=" + secret();
      case 6:
        return "pack " + at + " cat | inner " + content(600);
      case 7:
        return "pack " + at + " " + one_of({"gzip -c", "zstd -qc", "gzip -c | gzip -c"}) + " | inner " + content(600);
      case 8:
        return "dir " + at;
      case 9:
        return "zip " + at + " | inner " + content(below(3) == 0 ? 30'000 : 600);
      case 10:
        return "through " + at + " d=$(mktemp -d); cd $d; cat >inner; ar rc x.a inner; cat x.a; rm -r $d | " +
               content(600);
      case 11:
        return "through " + at + " head -c " + std::to_string(below(3) == 0 ? 65'000 + below(1'100) : below(3'000)) +
               " /dev/zero | tr '\\0' x; " +
               one_of({"gzip -c", "xz -c", "zstd -qc", "gzip -c | base64 -w0", "gzip -c | base64"}) +
               "; printf '\\n\\037\\213\\b\\0H4sIAAAAAAAAAAAAAAAAAAAAAAAA\\n' | " +
               content(below(4) == 0 ? 200'000 : 900);
      case 12:
        return "through " + at + " gzip -c | base64 -w76 | sed 's/^/    /' | base64 | " + content(9'000);
      default:
        return "file " + at + " " + content(below(60) == 0 ? 30'000 : 1200);
    }
  }

  /// Filling with secrets somewhere in it.
  std::string content(unsigned most) {
    std::string text = filling(below(most));
    for (unsigned i = 0, secrets = below(3); i < secrets; ++i)
      text += (below(2) == 0 ? "\\n" : " ") + secret() + (below(2) == 0 ? "\\n" : " ") + filling(below(most));
    return text;
  }

  std::string secret() {
    switch (below(7)) {
      case 0:
        return "@KEY@";
      case 1:
        return "@OTHER_KEY@";
      case 2:
        return "//registry.npmjs.org/:_auth{{}}Token=npm_" + word(36);
      case 3:
        return "https://deploy:" + word(20) + "@git.acme.test/x.git";
      case 4:
        return "password = \"" + word(18) + "\"";
      case 5:
        return base64(view_of("//registry.npmjs.org/:_auth{{}}Token=npm_" + word(36)));
      default:
        return "AKIA" + upper(16);
    }
  }

  std::string filling(unsigned size) {
    static constexpr std::string_view kinds[] = {"abcdefghij klmnop", "0123456789abcdef",
                                                 "ABCDEFGHIJKLMNOPabcdefghijklmnop0123456789+/=", "=:\"'{}[]<> ;,ab"};
    const std::string_view kind = kinds[below(4)];
    std::string text;
    text.reserve(size + 2);
    for (unsigned line = 0; text.size() < size; ++line) {
      text += kind[below(static_cast<unsigned>(kind.size()))];
      if (below(70) == 0) text += "\\n";
    }
    return text + "x";
  }
  std::string word(unsigned size) {
    std::string text;
    while (text.size() < size) text += "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"[below(57)];
    return text;
  }
  std::string upper(unsigned size) {
    std::string text;
    while (text.size() < size) text += "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[below(32)];
    return text;
  }

  std::mt19937 random_;
};

/// The lines that only one of the two has.
std::string difference(const std::string& one, const std::string& other) {
  const auto a = split(one, '\n'), b = split(other, '\n');
  std::string lines;
  for (std::size_t i = 0; i < std::max(a.size(), b.size()) && lines.size() < 2000; ++i)
    if (i >= a.size() || i >= b.size() || a[i] != b[i])
      lines += (i < a.size() ? "fast " + a[i] : "") + "\n" + (i < b.size() ? "slow " + b[i] : "") + "\n";
  return lines;
}

/// Compares `count` images from a seed on; how many had leaks: where none had, nothing would be shown.
/// IMGBUILD_DIFFERENTIAL is a factor on the count, for a long run.
unsigned compare(unsigned seed, unsigned count) {
  const char* factor = std::getenv("IMGBUILD_DIFFERENTIAL");
  unsigned leaks = 0;
  for (const unsigned end = seed + count * (factor == nullptr ? 1 : static_cast<unsigned>(std::atoi(factor)));
       seed < end; ++seed) {
    INFO("seed " << seed);
    const ImageText image = read_image("generated", Author(seed).image());
    const std::string archive = archive_of(image, seed % 2 == 0 ? Layout::old : Layout::oci);
    const Audit fast = audit_file(archive, Setup(4));
    CHECK(difference(stable_json(fast), stable_json(audit_stream(archive, 1, Setup(1)))) == "");
    leaks += fast.record().leaks.empty() ? 0 : 1;
  }
  return leaks;
}

}  // namespace

TEST_CASE("Of generated images the fast audit finds what one byte at a time does") { CHECK(compare(0, 40) > 20); }
