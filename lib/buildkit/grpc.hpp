#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace imgbuild {

/// How a call may end (grpc.io/docs/guides/status-codes).
enum class GrpcStatus { ok = 0, not_found = 5, unimplemented = 12, internal = 13, unavailable = 14 };

/// The answering side of gRPC over one HTTP/2 connection, without the connection: bytes in, bytes out. An engine that
/// was given a session calls us over it. One thread.
class GrpcServer {
 public:
  /// Each may be empty. They may answer at once, or later: reply() and finish() work as long as the call is open.
  struct Events {
    /// A call has begun: "/package.Service/Method", and what the caller says about it (names in lower case).
    std::function<void(std::uint32_t call, const std::string& method, const std::map<std::string, std::string>& said)>
        opened;
    std::function<void(std::uint32_t call, View message)> message;
    std::function<void(std::uint32_t call)> said_all;  ///< the caller sends no more
    std::function<void(std::uint32_t call)> gone;      ///< over, finished or not: not to be answered any more
  };
  explicit GrpcServer(Events events);
  ~GrpcServer();

  /// Takes what came, cut anywhere. Throws Error where it is no HTTP/2, or a message is larger than 4 MiB.
  void feed(View bytes);
  /// What is to be sent, up to a good piece; empty: nothing for now. Valid until the next call of any method.
  View output();
  /// `n` bytes of output() were sent.
  void sent(std::size_t n);
  /// The connection is to be closed once output() is empty.
  bool over() const;

  /// False where the call is gone, or holds more than 8 MiB that its caller does not take.
  bool reply(std::uint32_t call, View message);
  /// Ends the call. `why` is for the caller's eyes, where it failed.
  void finish(std::uint32_t call, GrpcStatus status, const std::string& why = {});

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace imgbuild
