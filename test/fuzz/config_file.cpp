// A settings file of a stranger's checkout: whatever it says, it is taken or is one usage Error of one line.
#include <cstdlib>
#include <string>

#include "config/settings.hpp"

using namespace imgbuild;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const Voice voice : {Voice::context, Voice::user}) {
    try {
      const Settings settings = read_settings({reinterpret_cast<const char*>(data), size}, "imgbuild.toml", voice);
      for (const auto& entry : settings.allow)
        if (entry.reason.empty()) std::abort();
      if (voice == Voice::context && (settings.find("engine") != nullptr || !settings.secrets.empty())) std::abort();
    } catch (const Error& error) {
      if (error.status() != Status::usage || std::string(error.what()).find('\n') != std::string::npos) std::abort();
    }
  }
  return 0;
}
