#include "live_view.hpp"

#include <algorithm>
#include <cstdio>

#include "session.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t shown_lines = 5;         // of a step that runs
constexpr std::size_t remembered_lines = 200;  // should it fail
constexpr std::size_t shown_steps = 8;         // at once
constexpr auto tick_length = std::chrono::milliseconds(200);

std::string with_time(const std::string& text, double seconds) {
  char time[32];
  std::snprintf(time, sizeof time, "%.1fs", seconds);
  return text + "  " + time;
}

}  // namespace

LiveView::LiveView() : ticker_([this] { tick(); }) {}

LiveView::~LiveView() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  wake_.notify_all();
  ticker_.join();
  imgbuild::draw("", {});
}

void LiveView::tick() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, tick_length, [this] { return over_; }))
    if (!running_.empty()) draw("");
}

// With mutex_ held.
void LiveView::draw(const std::string& above) {
  std::vector<std::string> lines;
  std::size_t steps = 0;
  for (const auto& [number, step] : running_) {
    if (++steps > shown_steps) {
      lines.push_back(" => and " + std::to_string(running_.size() - shown_steps) + " more");
      break;
    }
    const std::chrono::duration<double> since = Clock::now() - step.began;
    lines.push_back(with_time(" => " + step.name, since.count()));
    for (std::size_t i = step.lines.size() - std::min(step.lines.size(), shown_lines); i < step.lines.size(); ++i)
      lines.push_back(" => => " + step.lines[i]);
  }
  imgbuild::draw(above, lines);
}

void LiveView::operator()(const BuildStep& change) {
  const std::lock_guard lock(mutex_);
  const auto [known, fresh] = running_.try_emplace(change.number);
  Running& step = known->second;
  if (fresh) {
    step.name = change.name;
    step.began = Clock::now();
  }
  std::string above;
  switch (change.state) {
    case BuildStep::State::running:
      if (change.line.empty()) break;
      step.lines.push_back(change.line);
      std::replace(step.lines.back().begin(), step.lines.back().end(), '\t', ' ');  // which would take more places
      if (step.lines.size() > remembered_lines) step.lines.pop_front();
      break;
    case BuildStep::State::cached:
      above = " => CACHED " + step.name + "\n";
      break;
    case BuildStep::State::done:
      above = with_time(" => " + step.name, change.seconds) + "\n";
      break;
    case BuildStep::State::failed:
      above = " => ERROR " + step.name + "\n";
      for (const auto& line : step.lines) above += " => => " + line + "\n";
      above += " => " + change.line + "\n";
      break;
    case BuildStep::State::warning:
      above = " => WARNING " + step.name + ": " + change.line + "\n";
      break;
  }
  if (change.state != BuildStep::State::running && change.state != BuildStep::State::warning) running_.erase(known);
  draw(above);
}

}  // namespace imgbuild
