#include "buildkit/trace.hpp"

#include "base/error.hpp"
#include "buildkit/protobuf.hpp"

namespace imgbuild {
namespace {

// google.protobuf.Timestamp. What lies outside of the years 1970 to 2200 is no time of a build.
std::int64_t time_in(View message) {
  std::uint64_t seconds = 0, nanoseconds = 0;
  ProtoFields fields(message);
  while (fields.next()) {
    if (fields.field() == 1) seconds = fields.number();
    if (fields.field() == 2) nanoseconds = fields.number();
  }
  if (seconds > 7'258'118'400 || nanoseconds > 999'999'999) return 0;
  return static_cast<std::int64_t>(seconds * 1'000'000'000 + nanoseconds);
}

BuildTrace::Vertex vertex_in(View message) {
  BuildTrace::Vertex vertex;
  ProtoFields fields(message);
  while (fields.next()) switch (fields.field()) {
      case 1:
        vertex.digest = fields.text();
        break;
      case 3:
        vertex.name = fields.text();
        break;
      case 4:
        vertex.cached = fields.number() != 0;
        break;
      case 5:
        vertex.began = time_in(fields.bytes());
        break;
      case 6:
        vertex.ended = time_in(fields.bytes());
        break;
      case 7:
        vertex.error = fields.text();
        break;
      default:
        break;
    }
  return vertex;
}

BuildTrace::Log log_in(View message) {
  BuildTrace::Log log;
  ProtoFields fields(message);
  while (fields.next()) switch (fields.field()) {
      case 1:
        log.vertex = fields.text();
        break;
      case 2:
        log.time = time_in(fields.bytes());
        break;
      case 3:
        log.stream = fields.number();
        break;
      case 4:
        log.text = fields.text();
        break;
      default:
        break;
    }
  return log;
}

BuildTrace::Warning warning_in(View message) {
  BuildTrace::Warning warning;
  ProtoFields fields(message);
  while (fields.next()) {
    if (fields.field() == 1) warning.vertex = fields.text();
    if (fields.field() == 3) warning.text = fields.text();
  }
  return warning;
}

}  // namespace

BuildTrace parse_trace(View message) {
  BuildTrace trace;
  try {
    ProtoFields fields(message);
    while (fields.next()) {
      if (fields.field() == 1) trace.vertexes.push_back(vertex_in(fields.bytes()));
      if (fields.field() == 3) trace.logs.push_back(log_in(fields.bytes()));
      if (fields.field() == 4) trace.warnings.push_back(warning_in(fields.bytes()));
    }
  } catch (const Error& error) {
    throw error.within("the build's progress");
  }
  return trace;
}

}  // namespace imgbuild
