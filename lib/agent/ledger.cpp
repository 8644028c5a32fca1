#include "agent/ledger.hpp"

namespace imgbuild {

bool Ledger::add(const Signature& line) {
  std::function<void(const Signature&)> tell;
  {
    const std::lock_guard lock(mutex_);
    if (lines_.size() >= most) return false;
    lines_.push_back(line);
    tell = tell_;
  }
  // Outside the lock: the callback may ask for the lines.
  if (tell) tell(line);
  return true;
}

bool Ledger::full() const {
  const std::lock_guard lock(mutex_);
  return lines_.size() >= most;
}

std::vector<Signature> Ledger::lines() const {
  const std::lock_guard lock(mutex_);
  return lines_;
}

void Ledger::on_line(std::function<void(const Signature&)> tell) {
  const std::lock_guard lock(mutex_);
  tell_ = std::move(tell);
}

}  // namespace imgbuild
