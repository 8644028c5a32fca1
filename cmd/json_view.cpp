#include "json_view.hpp"

#include <chrono>
#include <cstdio>
#include <ctime>

#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "image/json.hpp"
#include "session.hpp"

namespace imgbuild {
namespace {

using Clock = std::chrono::system_clock;

// RFC 3339 with nanoseconds.
std::string written(Clock::time_point time) {
  const auto since = time.time_since_epoch();
  const std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(since).count();
  const auto rest = std::chrono::duration_cast<std::chrono::nanoseconds>(since % std::chrono::seconds(1)).count();
  std::tm fields{};
  ::gmtime_r(&seconds, &fields);
  char text[48];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ", fields.tm_year + 1900, fields.tm_mon + 1,
                fields.tm_mday, fields.tm_hour, fields.tm_min, fields.tm_sec, static_cast<long>(rest));
  return text;
}

Json vertex(const std::string& digest, const std::string& name) { return {{"digest", digest}, {"name", name}}; }

std::string line_of(const char* what, Json one) {
  const Json status = {{what, Json::array({std::move(one)})}};
  return status.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string log_line(const std::string& digest, std::string_view text) {
  return line_of(
      "logs",
      {{"vertex", digest}, {"stream", 1}, {"data", base64(view_of(text))}, {"timestamp", written(Clock::now())}});
}

const std::string& own_digest() {
  static const std::string digest = sha256_digest(view_of("imgbuild"));
  return digest;
}

Json own_vertex(Clock::time_point began) {
  Json own = vertex(own_digest(), "imgbuild");
  own["started"] = written(began);
  return own;
}

}  // namespace

JsonView::JsonView() : began_(Clock::now()) {
  draw(line_of("vertexes", own_vertex(began_)), {});
  shape_talk([](std::string_view text) { return log_line(own_digest(), text); });
}

JsonView::~JsonView() {
  shape_talk(nullptr);
  Json own = own_vertex(began_);
  own["completed"] = written(Clock::now());
  draw(line_of("vertexes", std::move(own)), {});
}

void JsonView::operator()(const BuildStep& change) {
  const auto now = Clock::now();
  const std::string digest = sha256_digest(view_of("imgbuild step " + std::to_string(change.number)));
  std::string lines;
  const std::lock_guard hold(mutex_);
  const auto [known, fresh] = running_.try_emplace(change.number, now);
  Json step = vertex(digest, change.name);
  step["started"] = written(known->second);
  if (fresh) lines += line_of("vertexes", step);
  switch (change.state) {
    case BuildStep::State::running:
      if (!change.line.empty()) lines += log_line(digest, change.line + "\n");
      break;
    case BuildStep::State::warning:
      lines += line_of("warnings", {{"vertex", digest}, {"level", 1}, {"short", base64(view_of(change.line))}});
      break;
    case BuildStep::State::cached:
      step["cached"] = true;
      [[fallthrough]];
    case BuildStep::State::failed:
    case BuildStep::State::done:
      if (change.state == BuildStep::State::failed) step["error"] = change.line;
      step["completed"] = written(now);
      lines += line_of("vertexes", step);
  }
  draw(lines, {});
}

}  // namespace imgbuild
