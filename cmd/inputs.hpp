#pragma once
#include <set>
#include <string>

#include "base/secret.hpp"

/// Where secrets come in. Each throws usage Error "WHAT: why", which never holds a byte of the value.
namespace imgbuild {

/// Environment variables that hold secrets. Once read, no child of ours is to inherit them: forget() takes them out of
/// our environment and wipes the block that they stood in.
class SecretVariables {
 public:
  Secret read(const std::string& what, const std::string& name);
  void forget() noexcept;
  ~SecretVariables() { forget(); }

 private:
  std::set<std::string> read_;
};

/// At most 1 MiB.
Secret secret_from_file(const std::string& what, const std::string& path);
Secret secret_from_input(const std::string& what);

}  // namespace imgbuild
