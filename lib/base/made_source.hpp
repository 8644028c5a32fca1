#pragma once
#include "base/bytes.hpp"
#include "base/interrupt.hpp"

namespace imgbuild {

/// A source whose bytes are made step by step. Interrupts are heeded between two steps.
class MadeSource : public Source {
 public:
  View next() final {
    if (given_) made_.clear();
    given_ = true;
    while (made_.empty() && !over_) {
      interrupt::check();
      step();
    }
    return made_;
  }

 protected:
  /// Makes some bytes, or none yet, or says that it is over_.
  virtual void step() = 0;
  void make(View bytes) { made_.insert(made_.end(), bytes.begin(), bytes.end()); }

  Bytes made_;
  bool over_ = false;

 private:
  bool given_ = false;
};

}  // namespace imgbuild
