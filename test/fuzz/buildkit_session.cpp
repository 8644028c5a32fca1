// What an engine, or whoever is in its place, may send over a session: the first byte says how it is cut. Every call is
// answered, and nothing is answered twice.
#include <algorithm>
#include <memory>

#include "base/error.hpp"
#include "buildkit/grpc.hpp"
#include "buildkit/protobuf.hpp"

using namespace imgbuild;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t step = data[0] + std::size_t{1};
  View rest(data + 1, size - 1);
  std::unique_ptr<GrpcServer> server;
  GrpcServer::Events events;
  events.opened = [&](std::uint32_t call, const std::string& method, const auto&) {
    if (method.empty()) server->finish(call, GrpcStatus::unimplemented, "no method");
  };
  events.message = [&](std::uint32_t call, View message) {
    try {
      ProtoFields fields(message);
      while (fields.next()) server->reply(call, fields.bytes());
    } catch (const Error& error) {
      server->finish(call, GrpcStatus::internal, error.what());
    }
  };
  events.said_all = [&](std::uint32_t call) { server->finish(call, GrpcStatus::ok); };
  server = std::make_unique<GrpcServer>(events);
  try {
    while (!rest.empty()) {
      const View piece = rest.first(std::min(step, rest.size()));
      server->feed(piece);
      rest = rest.subspan(piece.size());
      for (View out = server->output(); !out.empty(); out = server->output()) server->sent(std::min(step, out.size()));
    }
  } catch (const Error&) {
  }
  return 0;
}
