// A .dockerignore file, a zero byte, and paths by line: whatever stands there is read or refused, and walking down to a
// path says of it what asking for it at once says.
#include <cstdlib>

#include "base/error.hpp"
#include "base/text.hpp"
#include "context/dockerignore.hpp"

using namespace imgbuild;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t border = input.find('\0');
  try {
    const auto rules = DockerIgnore::parse(input.substr(0, border));
    if (border == input.npos) return 0;
    for (const auto& path : split(input.substr(border + 1), '\n')) {
      DockerIgnore::Matched above, self;
      bool walked = false, entered = true;
      std::string part;
      for (const auto& name : split(path, '/')) {
        entered = entered && (part.empty() || !walked || rules.may_return_below(part));
        part += (part.empty() && above.empty() ? "" : "/") + name;
        walked = rules.ignores(part, above, self);
        above.swap(self);
      }
      // Leaving a folder unentered must never lose something that is let in.
      if (walked != rules.ignores(path)) std::abort();
      if (!walked && !entered && path.find("//") == path.npos && !path.starts_with('/')) std::abort();
    }
  } catch (const Error&) {
  }
  return 0;
}
