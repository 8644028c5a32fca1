// A build's progress of any bytes is taken apart and told, or refused.
#include "base/error.hpp"
#include "buildkit/progress.hpp"

using namespace imgbuild;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto scanner = Scanner::builtin();
  Vault vault;
  Progress progress(scanner, vault, [](std::string_view text) {
    for (const char c : text)
      if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') __builtin_trap();
  });
  try {
    progress.feed(parse_trace({data, size}));
    progress.finish();
  } catch (const Error&) {
  }
  return 0;
}
