#include "buildkit/progress.hpp"

#include <array>
#include <cstdio>

#include "base/text.hpp"

namespace imgbuild {
namespace {

// What a step printed is for a terminal to show, but not to obey.
std::string tame(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F)) out += c;
  return out;
}

std::string seconds(std::int64_t nanoseconds, const char* form) {
  char text[32];
  std::snprintf(text, sizeof text, form, static_cast<double>(nanoseconds > 0 ? nanoseconds : 0) / 1e9);
  return text;
}

}  // namespace

struct Progress::Step {
  int number = 0;
  std::string name;
  std::int64_t began = 0, latest = 0;
  bool headed = false, over = false;
  struct Output {
    std::unique_ptr<Redactor> redactor;
    std::string line;  // redacted, without its end
  };
  std::array<Output, 2> outputs;
};

Progress::Progress(std::shared_ptr<const Scanner> scanner, const Vault& vault,
                   std::function<void(std::string_view)> print, std::function<void(const BuildStep&)> changed)
    : scanner_(std::move(scanner)), vault_(vault), print_(std::move(print)), changed_(std::move(changed)) {}
Progress::~Progress() = default;

std::string Progress::safe(const std::string& text) const {
  std::string line = redact(text, *scanner_, vault_);
  for (char& c : line)
    if (c == '\n' || c == '\r') c = ' ';
  return tame(line);
}

void Progress::tell(const Step& step, BuildStep::State state, const std::string& line, double seconds) const {
  if (changed_) changed_({step.number, step.name, state, seconds, line});
}

Progress::Step& Progress::step_of(const std::string& digest) {
  auto& step = steps_[digest];
  if (!step) step = std::make_unique<Step>();
  return *step;
}

void Progress::put(Step& step, const std::string& text, bool named) {
  head(step);
  const std::string number = "#" + std::to_string(step.number) + " ";
  if (last_ != step.number) print_("\n" + (named ? number + step.name + "\n" : ""));
  last_ = step.number;
  print_(number + text + "\n");
}

// A step gets its number when it begins, so that numbers follow the order of the work.
void Progress::head(Step& step) {
  if (step.headed) return;
  step.headed = true;
  step.number = ++numbers_;
  if (last_ != 0) print_("\n");
  print_("#" + std::to_string(step.number) + " " + step.name + "\n");
  last_ = step.number;
  tell(step, BuildStep::State::running);
}

void Progress::take(const BuildTrace::Vertex& vertex) {
  Step& step = step_of(vertex.digest);
  if (step.name.empty()) step.name = safe(vertex.name);
  if (vertex.began == 0 && !vertex.cached) return;
  if (vertex.began != 0) step.began = vertex.began;
  head(step);
  if (step.over || (vertex.ended == 0 && !vertex.cached)) return;
  flush(step);
  if (!vertex.error.empty()) {
    put(step, "ERROR: " + safe(vertex.error));
    tell(step, BuildStep::State::failed, safe(vertex.error));
  } else if (vertex.cached) {
    put(step, "CACHED", false);
    tell(step, BuildStep::State::cached);
  } else {
    put(step, "DONE " + seconds(vertex.ended - step.began, "%.1fs"), false);
    tell(step, BuildStep::State::done, {}, static_cast<double>(vertex.ended - step.began) / 1e9);
  }
  step.over = true;
}

void Progress::lines(Step& step, std::string& line, const std::string& text) {
  for (const char c : text) {
    if (c != '\n') {
      line += c;
      continue;
    }
    // Of a line that is drawn over and over (a download's bar) the last state counts.
    while (line.ends_with('\r')) line.pop_back();
    if (const auto again = line.rfind('\r'); again != std::string::npos) line.erase(0, again + 1);
    put(step, seconds(step.latest - step.began, "%.3f ") + tame(line));
    if (!step.over) tell(step, BuildStep::State::running, tame(line));
    line.clear();
  }
}

void Progress::take(const BuildTrace::Log& log) {
  Step& step = step_of(log.vertex);
  step.latest = log.time;
  auto& output = step.outputs[log.stream == 2 ? 1 : 0];
  if (!output.redactor) output.redactor = std::make_unique<Redactor>(scanner_, vault_);
  lines(step, output.line, output.redactor->feed(log.text));
}

void Progress::flush(Step& step) {
  for (auto& output : step.outputs) {
    if (!output.redactor) continue;
    lines(step, output.line, output.redactor->finish());
    if (!output.line.empty()) lines(step, output.line, "\n");
    output.redactor.reset();
  }
}

void Progress::feed(const BuildTrace& trace) {
  for (const auto& vertex : trace.vertexes)
    if (vertex.ended == 0 && !vertex.cached) take(vertex);
  for (const auto& log : trace.logs) take(log);
  for (const auto& vertex : trace.vertexes)
    if (vertex.ended != 0 || vertex.cached) take(vertex);
  for (const auto& warning : trace.warnings) {
    Step& step = step_of(warning.vertex);
    put(step, "WARNING: " + safe(warning.text));
    if (!step.over) tell(step, BuildStep::State::warning, safe(warning.text));
  }
}

void Progress::finish() {
  for (auto& [digest, step] : steps_) flush(*step);
}

}  // namespace imgbuild
