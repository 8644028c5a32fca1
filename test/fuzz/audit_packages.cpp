// A package record from a stranger: a line with its path, then its bytes. It names files, or it does not.
#include <cstdint>
#include <cstdlib>

#include "audit/packages.hpp"

using namespace imgbuild;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const View input(data, size);
  const std::string_view text = text_of(input);
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos || !is_package_record(text.substr(0, end))) return 0;
  PackageRecords records;
  records.add(text.substr(0, end), input.subspan(end + 1));
  records.add("var/lib/dpkg/status", view_of("Package: acme\nVersion: 1.0\n"));
  const std::string package = package_of({nullptr, &records}, 1, "opt/acme/key");
  if (!package.empty() && package.find(": ") == std::string::npos) std::abort();
  return 0;
}
