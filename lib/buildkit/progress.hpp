#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "buildkit/build_step.hpp"
#include "buildkit/trace.hpp"
#include "scan/redactor.hpp"

namespace imgbuild {

/// Tells a build's trace for people, in the words that `docker build --progress plain` has: "#5 [2/3] RUN make",
/// "#5 0.214 cc -o app", "#5 DONE 1.3s". Everything is redacted; each step's two outputs on their own. One thread.
class Progress {
 public:
  /// `print` gets whole lines, `changed` (it may be empty) the same as it happens to each step.
  Progress(std::shared_ptr<const Scanner> scanner, const Vault& vault, std::function<void(std::string_view)> print,
           std::function<void(const BuildStep&)> changed = {});
  ~Progress();

  void feed(const BuildTrace& trace);
  /// The build has ended: what is held back of the outputs.
  void finish();

 private:
  struct Step;
  Step& step_of(const std::string& digest);
  void head(Step& step);
  void take(const BuildTrace::Vertex& vertex);
  void take(const BuildTrace::Log& log);
  void flush(Step& step);
  void lines(Step& step, std::string& line, const std::string& text);
  void put(Step& step, const std::string& text, bool named = true);
  void tell(const Step& step, BuildStep::State state, const std::string& line = {}, double seconds = 0) const;
  std::string safe(const std::string& text) const;

  std::shared_ptr<const Scanner> scanner_;
  const Vault& vault_;
  std::function<void(std::string_view)> print_;
  std::function<void(const BuildStep&)> changed_;
  std::map<std::string, std::unique_ptr<Step>> steps_;  // by digest
  int numbers_ = 0;
  int last_ = 0;  // the step that spoke last
};

}  // namespace imgbuild
