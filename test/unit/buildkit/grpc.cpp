// The answering side of gRPC, with nghttp2 as the caller, as an engine is one.
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <map>

#include "base/error.hpp"
#include "base/owned.hpp"
#include "buildkit/grpc.hpp"

using namespace imgbuild;
using Catch::Contains;

namespace {

std::string framed(const std::string& message) {
  std::string all(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8) all += static_cast<char>(message.size() >> shift & 0xFF);
  return all + message;
}

// Calls over HTTP/2, in memory.
class Caller {
 public:
  struct Call {
    std::string body, answer;
    std::map<std::string, std::string> said;
    std::size_t at = 0;
    bool ends = true, closed = false;
  };
  Caller() {
    nghttp2_session_callbacks* made = nullptr;
    nghttp2_session_callbacks_new(&made);
    nghttp2_session_callbacks_set_on_header_callback(
        made, [](nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t n,
                 const std::uint8_t* value, std::size_t v, std::uint8_t, void* self) {
          static_cast<Caller*>(self)->calls[frame->hd.stream_id].said[std::string(text_of({name, n}))] =
              text_of({value, v});
          return 0;
        });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        made, [](nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data, std::size_t n, void* self) {
          static_cast<Caller*>(self)->calls[id].answer += text_of({data, n});
          return 0;
        });
    nghttp2_session_callbacks_set_on_stream_close_callback(
        made, [](nghttp2_session*, std::int32_t id, std::uint32_t, void* self) {
          static_cast<Caller*>(self)->calls[id].closed = true;
          return 0;
        });
    nghttp2_session* opened = nullptr;
    nghttp2_session_client_new(&opened, made, this);
    session.reset(opened);
    nghttp2_session_callbacks_del(made);
    nghttp2_submit_settings(opened, 0, nullptr, 0);
  }
  std::int32_t call(const std::string& method, const std::string& body, bool ends = true) {
    const auto nv = [](const char* name, const std::string& value) {
      return nghttp2_nv{reinterpret_cast<std::uint8_t*>(const_cast<char*>(name)),
                        reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), std::strlen(name),
                        value.size(), 0};
    };
    const std::string post = "POST", http = "http", host = "localhost", type = "application/grpc", te = "trailers",
                      id = "default";
    const nghttp2_nv head[] = {nv(":method", post),      nv(":scheme", http),      nv(":path", method),
                               nv(":authority", host),   nv("content-type", type), nv("te", te),
                               nv("buildkit.ssh.id", id)};
    nghttp2_data_provider provider{};
    provider.source.ptr = this;
    provider.read_callback = [](nghttp2_session*, std::int32_t stream, std::uint8_t* into, std::size_t size,
                                std::uint32_t* flags, nghttp2_data_source* source, void*) -> ssize_t {
      Call& mine = static_cast<Caller*>(source->ptr)->calls[stream];
      const std::size_t n = std::min(size, mine.body.size() - mine.at);
      std::copy_n(mine.body.begin() + static_cast<std::ptrdiff_t>(mine.at), n, into);
      mine.at += n;
      if (mine.at < mine.body.size()) return static_cast<ssize_t>(n);
      if (mine.ends) *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (!mine.ends && n == 0) return NGHTTP2_ERR_DEFERRED;
      return static_cast<ssize_t>(n);
    };
    const std::int32_t stream = nghttp2_submit_request(session.get(), nullptr, head, 7, &provider, nullptr);
    calls[stream].body = body;
    calls[stream].ends = ends;
    return stream;
  }
  void more(std::int32_t stream, const std::string& body, bool ends) {
    calls[stream].body += body;
    calls[stream].ends = ends;
    nghttp2_session_resume_data(session.get(), stream);
  }
  // Carries bytes between the two, in steps of so many, until neither has any.
  void meet(GrpcServer& server, std::size_t step = 100000) {
    for (bool some = true; some;) {
      some = false;
      const std::uint8_t* data = nullptr;
      for (ssize_t n; (n = nghttp2_session_mem_send(session.get(), &data)) > 0; some = true)
        for (View rest(data, static_cast<std::size_t>(n)); !rest.empty();) {
          const View piece = rest.first(std::min(step, rest.size()));
          server.feed(piece);
          rest = rest.subspan(piece.size());
        }
      for (View out = server.output(); !out.empty(); out = server.output()) {
        const View piece = out.first(std::min(step, out.size()));
        nghttp2_session_mem_recv(session.get(), piece.data(), piece.size());
        server.sent(piece.size());
        some = true;
      }
    }
  }
  Owned<nghttp2_session, nghttp2_session_del> session;
  std::map<std::int32_t, Call> calls;
};

}  // namespace

TEST_CASE("a call is answered with a message and how it ended, wherever its bytes are cut") {
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{100000}}) {
    std::string seen, id;
    std::unique_ptr<GrpcServer> server;
    GrpcServer::Events events;
    events.opened = [&](std::uint32_t, const std::string& method, const auto& said) {
      seen += method + " ";
      id = said.at("buildkit.ssh.id");
    };
    events.message = [&](std::uint32_t call, View message) {
      seen += text_of(message);
      server->reply(call, view_of("pong"));
      server->finish(call, GrpcStatus::ok);
    };
    server = std::make_unique<GrpcServer>(events);
    Caller caller;
    const auto call = caller.call("/a.B/C", framed("ping"));
    caller.meet(*server, step);
    CHECK(seen == "/a.B/C ping");
    CHECK(id == "default");
    CHECK(caller.calls[call].answer == framed("pong"));
    CHECK(caller.calls[call].said[":status"] == "200");
    CHECK(caller.calls[call].said["grpc-status"] == "0");
    CHECK(caller.calls[call].closed);
  }
}

TEST_CASE("a stream goes both ways until its caller ends it, and large messages pass flow control") {
  std::unique_ptr<GrpcServer> server;
  std::vector<std::uint32_t> gone;
  GrpcServer::Events events;
  events.message = [&](std::uint32_t call, View message) { CHECK(server->reply(call, message)); };
  events.said_all = [&](std::uint32_t call) { server->finish(call, GrpcStatus::ok); };
  events.gone = [&](std::uint32_t call) { gone.push_back(call); };
  server = std::make_unique<GrpcServer>(events);
  Caller caller;
  const auto call = caller.call("/a.B/Echo", framed("one"), false);
  caller.meet(*server);
  CHECK(caller.calls[call].answer == framed("one"));
  const std::string large(300000, 'x');
  caller.more(call, framed(large), true);
  caller.meet(*server);
  CHECK(caller.calls[call].answer == framed("one") + framed(large));
  CHECK(gone == std::vector<std::uint32_t>{static_cast<std::uint32_t>(call)});
  CHECK_FALSE(server->reply(static_cast<std::uint32_t>(call), view_of("late")));
}

TEST_CASE("a call that fails says why, in the letters that a trailer may have") {
  std::unique_ptr<GrpcServer> server;
  GrpcServer::Events events;
  events.opened = [&](std::uint32_t call, const auto&, const auto&) {
    server->finish(call, GrpcStatus::not_found, "no \xC3\xBC\n%");
  };
  server = std::make_unique<GrpcServer>(events);
  Caller caller;
  const auto call = caller.call("/a.B/C", framed("x"));
  caller.meet(*server);
  CHECK(caller.calls[call].said["grpc-status"] == "5");
  CHECK(caller.calls[call].said["grpc-message"] == "no %C3%BC%0A%25");
}

TEST_CASE("what a caller does not take is not held without end") {
  std::unique_ptr<GrpcServer> server;
  std::uint32_t opened = 0;
  GrpcServer::Events events;
  events.opened = [&](std::uint32_t call, const auto&, const auto&) { opened = call; };
  server = std::make_unique<GrpcServer>(events);
  Caller caller;
  caller.call("/a.B/C", "", false);
  caller.meet(*server);
  const std::string piece(std::size_t{1} << 20, 'x');
  int taken = 0;
  while (taken < 100 && server->reply(opened, view_of(piece))) ++taken;
  CHECK(taken < 10);
}

TEST_CASE("what is no HTTP/2, too large or compressed is an error") {
  GrpcServer web({});
  CHECK_THROWS_WITH(web.feed(view_of("GET / HTTP/1.1\r\n\r\n and more of the same")), Contains("no HTTP/2"));
  for (const std::string& head : {std::string("\0\x7F\xFF\xFF\xFF", 5), std::string("\1\0\0\0\0", 5)}) {
    GrpcServer server({});
    Caller caller;
    caller.call("/a.B/C", head + "x");
    CHECK_THROWS_AS(caller.meet(server), Error);
  }
}
