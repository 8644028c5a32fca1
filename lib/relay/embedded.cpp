// The relay programs, taken into the read-only data as they are (relay.cmake builds them and says where they lie).
#include "relay/session.hpp"

asm(".pushsection .rodata\n"
    ".balign 16\n"
    "relay_amd64_begin: .incbin \"" RELAY_amd64
    "\"\n"
    "relay_amd64_end:\n"
    ".balign 16\n"
    "relay_arm64_begin: .incbin \"" RELAY_arm64
    "\"\n"
    "relay_arm64_end:\n"
    ".popsection\n"
    ".globl relay_amd64_begin, relay_amd64_end, relay_arm64_begin, relay_arm64_end\n");

extern "C" const std::uint8_t relay_amd64_begin[], relay_amd64_end[], relay_arm64_begin[], relay_arm64_end[];

namespace imgbuild {

View relay_program(std::string_view architecture) {
  if (architecture == "amd64") return {relay_amd64_begin, relay_amd64_end};
  if (architecture == "arm64") return {relay_arm64_begin, relay_arm64_end};
  return {};
}

}  // namespace imgbuild
