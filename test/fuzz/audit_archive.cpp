// A whole archive from a stranger: it is audited or refused with one line.
#include <cstdint>
#include <cstdlib>

#include "audit/audit.hpp"
#include "base/error.hpp"
#include "tar/archive.hpp"

using namespace imgbuild;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Vault found;
  AuditOptions options;
  options.scanner = Scanner::builtin();
  options.found = &found;
  options.threads = 1;
  try {
    ViewSource source({data, size});
    for (const auto& audit : audit_archive(source, options))
      if (audit.clear("x").has_value() != (audit.verdict() == Verdict::clean)) std::abort();
  } catch (const Error& error) {
    if (std::string_view(error.what()).find('\n') != std::string_view::npos) std::abort();
  }
  return 0;
}
