#pragma once
#include <openssl/err.h>

namespace imgbuild {

/// While it lives, what OpenSSL complains about is nobody's business: bytes are tried that may be no key. One thread.
class QuietErrors {
 public:
  QuietErrors() { ERR_set_mark(); }
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;
  ~QuietErrors() { ERR_pop_to_mark(); }
};

}  // namespace imgbuild
