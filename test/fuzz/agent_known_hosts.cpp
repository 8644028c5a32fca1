// known_hosts files as strangers write them. What is found may never be revoked, and a line is either taken or told.
#include <cstdlib>

#include "agent/known_hosts.hpp"
#include "base/bytes.hpp"

using namespace imgbuild;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  KnownHosts known;
  known.read(text_of(View(data, size)), "known_hosts");
  for (const auto& [host, port] :
       {std::pair{"forge.test", 22}, {"forge.test", 2222}, {"10.0.0.1", 22}, {"::1", 2222}}) {
    const HostKeys keys = known.find(host, port);
    for (const auto* list : {&keys.keys, &keys.authorities})
      for (const auto& key : *list)
        if (keys.is_revoked(key)) std::abort();
    for (const auto& key : keys.keys)
      if (!keys.fault(key, host, 0).empty()) std::abort();
    for (const auto& key : keys.revoked)
      if (keys.fault(key, host, 0).empty()) std::abort();
  }
  for (const auto& warning : known.warnings())
    if (warning.find('\n') != std::string::npos) std::abort();
  return 0;
}
