#pragma once
#include <chrono>
#include <map>
#include <mutex>

#include "buildkit/build_step.hpp"

namespace imgbuild {

/// --progress rawjson: a JSON object a line on standard error, as BuildKit's clients print their SolveStatus
/// (`vertexes`, `logs`, `warnings`; docs of `docker buildx build --progress`). A step's digest says which step of this
/// build it is, and no more. All other talk is the log of a vertex named "imgbuild", while this stands. Any thread.
class JsonView {
 public:
  JsonView();
  JsonView(const JsonView&) = delete;
  JsonView& operator=(const JsonView&) = delete;
  ~JsonView();
  void operator()(const BuildStep& change);

 private:
  std::mutex mutex_;
  std::map<int, std::chrono::system_clock::time_point> running_;  // when each began, by number
  const std::chrono::system_clock::time_point began_;
};

}  // namespace imgbuild
