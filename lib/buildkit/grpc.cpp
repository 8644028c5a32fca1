// gRPC is HTTP/2 with habits (github.com/grpc/grpc, doc/PROTOCOL-HTTP2.md): a call is a POST whose path is the method;
// its body, and the answer's, are messages with five bytes in front of each (compressed or not, and the length, most
// significant byte first); how the call ended stands in the trailer. nghttp2 knows HTTP/2, this file the habits. It is
// there with curl already, and costs no start-up time, which gRPC's own library does.
#include "buildkit/grpc.hpp"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <exception>
#include <set>

#include "base/error.hpp"
#include "base/owned.hpp"
#include "base/secret.hpp"
#include "http/client.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t most_message = std::size_t{4} << 20;
constexpr std::size_t most_unread = std::size_t{8} << 20;  // of what a caller does not take
constexpr std::size_t most_headers = 64;
constexpr std::uint32_t most_calls = 256;

nghttp2_nv header(std::string_view name, std::string_view value) {
  // nghttp2 copies both, and does not change them.
  return {reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NONE};
}

// As gRPC wants a message in a trailer: printable ASCII but for `%` as it is, the rest percent-encoded.
std::string trailer_text(std::string_view text) { return percent_encode(text, " !\"#$&'()*+,/:;<=>?@[\\]^`{|}"); }

struct Call {
  std::string method;
  std::map<std::string, std::string> said;
  bool opened = false, said_all = false;
  Bytes in, out;
  std::size_t sent = 0;  // of `out`
  bool answering = false, finished = false;
  GrpcStatus status = GrpcStatus::ok;
  std::string why;
};

}  // namespace

struct GrpcServer::Inside {
  explicit Inside(Events given) : events(std::move(given)) {
    nghttp2_session_callbacks* made = nullptr;
    if (nghttp2_session_callbacks_new(&made) != 0) throw Error("nghttp2: out of memory");
    const Owned<nghttp2_session_callbacks, nghttp2_session_callbacks_del> callbacks(made);
    nghttp2_session_callbacks_set_on_header_callback(made, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, on_close);
    nghttp2_session* opened = nullptr;
    if (nghttp2_session_server_new(&opened, made, this) != 0) throw Error("nghttp2: out of memory");
    session.reset(opened);
    const nghttp2_settings_entry limit = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, most_calls};
    nghttp2_submit_settings(opened, NGHTTP2_FLAG_NONE, &limit, 1);
  }
  ~Inside() {
    session.reset();
    for (auto& [id, call] : calls) wipe(call.out.data(), call.out.size());
  }

  Call* find(std::int32_t id) {
    const auto at = calls.find(id);
    return at == calls.end() ? nullptr : &at->second;
  }

  // No exception goes through nghttp2: it waits in `thrown`, and everything stops.
  template <class Work>
  static int guarded(void* self, Work work) noexcept {
    auto& inside = *static_cast<Inside*>(self);
    try {
      work(inside);
      return 0;
    } catch (...) {
      inside.thrown = std::current_exception();
      return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
  }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                       const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* self) noexcept {
    return guarded(self, [&](Inside& inside) {
      Call& call = inside.calls[frame->hd.stream_id];
      if (call.opened || call.said.size() >= most_headers) return;
      std::string key(text_of({name, name_size}));
      std::string text(text_of({value, value_size}));
      if (key == ":path")
        call.method = std::move(text);
      else
        call.said[std::move(key)] = std::move(text);
    });
  }

  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* self) noexcept {
    return guarded(self, [&](Inside& inside) {
      const std::int32_t id = frame->hd.stream_id;
      Call* call = inside.find(id);
      if (call == nullptr) return;
      if (frame->hd.type == NGHTTP2_HEADERS && !call->opened) {
        call->opened = true;
        if (inside.events.opened) {
          const std::map<std::string, std::string> said = std::exchange(call->said, {});
          inside.events.opened(static_cast<std::uint32_t>(id), std::string(call->method), said);
        }
      }
      call = inside.find(id);
      const bool data_or_headers = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
      if (call == nullptr || !data_or_headers || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0 || call->said_all)
        return;
      call->said_all = true;
      if (!call->in.empty()) throw Error("a call ended within a message");
      if (inside.events.said_all) inside.events.said_all(static_cast<std::uint32_t>(id));
    });
  }

  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data, std::size_t size,
                     void* self) noexcept {
    return guarded(self, [&](Inside& inside) {
      Call* call = inside.find(id);
      if (call == nullptr) return;
      call->in.insert(call->in.end(), data, data + size);
      std::size_t at = 0;
      while (call->in.size() - at >= 5) {
        const std::uint8_t* head = call->in.data() + at;
        const std::size_t length =
            std::size_t{head[1]} << 24 | std::size_t{head[2]} << 16 | std::size_t{head[3]} << 8 | head[4];
        if (head[0] != 0) throw Error("a compressed message, which we did not offer to read");
        if (length > most_message) throw Error("a message of more than 4 MiB");
        if (call->in.size() - at < 5 + length) break;
        at += 5 + length;
        if (!inside.events.message || call->finished) continue;
        const Bytes message(call->in.begin() + static_cast<std::ptrdiff_t>(at - length),
                            call->in.begin() + static_cast<std::ptrdiff_t>(at));
        inside.events.message(static_cast<std::uint32_t>(id), message);
        if ((call = inside.find(id)) == nullptr) return;
      }
      call->in.erase(call->in.begin(), call->in.begin() + static_cast<std::ptrdiff_t>(at));
    });
  }

  static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t, void* self) noexcept {
    return guarded(self, [&](Inside& inside) {
      const auto at = inside.calls.find(id);
      if (at == inside.calls.end()) return;
      wipe(at->second.out.data(), at->second.out.size());
      inside.calls.erase(at);
      if (inside.events.gone) inside.events.gone(static_cast<std::uint32_t>(id));
    });
  }

  // The answer's body: what is there now; the trailer behind it, once the call is finished.
  static ssize_t on_read(nghttp2_session* session, std::int32_t id, std::uint8_t* into, std::size_t size,
                         std::uint32_t* flags, nghttp2_data_source*, void* self) noexcept {
    ssize_t taken = 0;
    const int failed = guarded(self, [&](Inside& inside) {
      Call* call = inside.find(id);
      if (call == nullptr) throw Error("an answer to a call that is gone");
      const std::size_t n = std::min(size, call->out.size() - call->sent);
      std::copy_n(call->out.begin() + static_cast<std::ptrdiff_t>(call->sent), n, into);
      call->sent += n;
      taken = static_cast<ssize_t>(n);
      if (call->sent < call->out.size()) return;
      wipe(call->out.data(), call->out.size());
      call->out.clear();
      call->sent = 0;
      if (!call->finished) {
        if (n == 0) taken = NGHTTP2_ERR_DEFERRED;
        return;
      }
      *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
      const std::string status = std::to_string(static_cast<int>(call->status)), why = trailer_text(call->why);
      const std::array<nghttp2_nv, 2> trailer = {header("grpc-status", status), header("grpc-message", why)};
      nghttp2_submit_trailer(session, id, trailer.data(), why.empty() ? 1 : 2);
    });
    return failed != 0 ? ssize_t{NGHTTP2_ERR_CALLBACK_FAILURE} : taken;
  }

  void answer(std::int32_t id, Call& call) {
    if (call.answering) {
      nghttp2_session_resume_data(session.get(), id);
      return;
    }
    call.answering = true;
    const std::array<nghttp2_nv, 2> head = {header(":status", "200"), header("content-type", "application/grpc")};
    nghttp2_data_provider body{};
    body.read_callback = on_read;
    if (nghttp2_submit_response(session.get(), id, head.data(), head.size(), &body) != 0)
      throw Error("nghttp2: out of memory");
  }

  Events events;
  Owned<nghttp2_session, nghttp2_session_del> session;
  std::map<std::int32_t, Call> calls;
  Bytes pending;  // output not yet sent
  std::size_t pending_at = 0;
  std::exception_ptr thrown;
};

GrpcServer::GrpcServer(Events events) : inside_(std::make_unique<Inside>(std::move(events))) {}
GrpcServer::~GrpcServer() = default;

void GrpcServer::feed(View bytes) {
  const ssize_t taken = nghttp2_session_mem_recv(inside_->session.get(), bytes.data(), bytes.size());
  if (inside_->thrown) std::rethrow_exception(std::exchange(inside_->thrown, nullptr));
  if (taken < 0) throw Error(std::string("no HTTP/2: ") + nghttp2_strerror(static_cast<int>(taken)));
}

View GrpcServer::output() {
  auto& pending = inside_->pending;
  if (inside_->pending_at == pending.size()) {
    wipe(pending.data(), pending.size());
    pending.clear();
    inside_->pending_at = 0;
    while (pending.size() < std::size_t{1} << 18) {
      const std::uint8_t* data = nullptr;
      const ssize_t n = nghttp2_session_mem_send(inside_->session.get(), &data);
      if (inside_->thrown) std::rethrow_exception(std::exchange(inside_->thrown, nullptr));
      if (n < 0) throw Error(std::string("HTTP/2: ") + nghttp2_strerror(static_cast<int>(n)));
      if (n == 0) break;
      pending.insert(pending.end(), data, data + n);
    }
  }
  return View(pending).subspan(inside_->pending_at);
}

void GrpcServer::sent(std::size_t n) {
  inside_->pending_at += std::min(n, inside_->pending.size() - inside_->pending_at);
}

bool GrpcServer::over() const {
  return nghttp2_session_want_read(inside_->session.get()) == 0 &&
         nghttp2_session_want_write(inside_->session.get()) == 0;
}

bool GrpcServer::reply(std::uint32_t call, View message) {
  const auto id = static_cast<std::int32_t>(call);
  Call* open = inside_->find(id);
  if (open == nullptr || open->finished || open->out.size() - open->sent + message.size() > most_unread) return false;
  const auto size = static_cast<std::uint32_t>(message.size());
  for (const unsigned byte : {0U, size >> 24, size >> 16 & 0xFF, size >> 8 & 0xFF, size & 0xFF})
    open->out.push_back(static_cast<std::uint8_t>(byte));
  open->out.insert(open->out.end(), message.begin(), message.end());
  inside_->answer(id, *open);
  return true;
}

void GrpcServer::finish(std::uint32_t call, GrpcStatus status, const std::string& why) {
  const auto id = static_cast<std::int32_t>(call);
  Call* open = inside_->find(id);
  if (open == nullptr || open->finished) return;
  open->finished = true;
  open->status = status;
  open->why = why;
  inside_->answer(id, *open);
}

}  // namespace imgbuild
