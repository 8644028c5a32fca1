#include "base/error.hpp"

#include <cstring>

namespace imgbuild {

Error system_error(const std::string& circumstance, int number) {
  char buffer[128];
  return Error(circumstance + ": " + strerror_r(number, buffer, sizeof buffer));
}

}  // namespace imgbuild
