#pragma once
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "buildkit/build_step.hpp"

namespace imgbuild {

/// A Dockerfile's build on a terminal: a line for each step that is over, and below them, drawn again and again, the
/// steps that run, how long they have, and the last lines that each printed. Of a step that fails all lines that are
/// remembered stay. Other talk goes above what is drawn (session.hpp, draw()). Any thread.
class LiveView {
 public:
  LiveView();
  LiveView(const LiveView&) = delete;
  LiveView& operator=(const LiveView&) = delete;
  /// What is drawn goes.
  ~LiveView();
  void operator()(const BuildStep& change);

 private:
  using Clock = std::chrono::steady_clock;
  struct Running {
    std::string name;
    Clock::time_point began;
    std::deque<std::string> lines;
  };
  void draw(const std::string& above);
  void tick();

  std::mutex mutex_;
  std::condition_variable wake_;
  bool over_ = false;
  std::map<int, Running> running_;  // by number
  std::thread ticker_;              // last: it uses all of the above
};

}  // namespace imgbuild
