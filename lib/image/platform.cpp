#include "image/platform.hpp"

#include <sys/utsname.h>

#include <string_view>

namespace imgbuild {

std::string host_platform() {
  utsname host{};
  if (::uname(&host) != 0) return "linux/amd64";
  const std::string_view machine = host.machine;
  if (machine == "x86_64") return "linux/amd64";
  if (machine == "aarch64") return "linux/arm64";
  if (machine == "i686" || machine == "i386") return "linux/386";
  if (machine.starts_with("armv7")) return "linux/arm/v7";
  if (machine.starts_with("armv6")) return "linux/arm/v6";
  if (machine == "mips64") return "linux/mips64le";
  return "linux/" + std::string(machine);  // ppc64le, s390x, riscv64
}

bool platform_fits(const std::string& has, const std::string& wanted) {
  if (wanted.empty() || has == wanted || has.starts_with(wanted + "/")) return true;
  return wanted == "linux/arm64/v8" && has == "linux/arm64";
}

}  // namespace imgbuild
