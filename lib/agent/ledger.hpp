#pragma once
#include <functional>
#include <mutex>
#include <vector>

#include "verdict/verdict.hpp"

namespace imgbuild {

/// One line per signature that was asked for. Any thread. Nothing is signed without a line, and there are at most
/// `most` of them: a script that asks for more is refused, and cannot fill our memory.
class Ledger {
 public:
  static constexpr std::size_t most = 10000;

  /// False, and nothing is written, where it is full.
  bool add(const Signature& line);
  bool full() const;
  std::vector<Signature> lines() const;
  void on_line(std::function<void(const Signature&)> tell);

 private:
  mutable std::mutex mutex_;
  std::vector<Signature> lines_;
  std::function<void(const Signature&)> tell_;
};

}  // namespace imgbuild
