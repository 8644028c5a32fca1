#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/stream.hpp"

/// HTTP/1.1 as container engines speak it: over unix sockets, TCP and TLS, with streamed bodies and with connections
/// that stop being HTTP after the head ("hijacked").
namespace imgbuild {

/// Where a server listens.
struct HttpEndpoint {
  std::string socket;  ///< path of a unix socket, of any length; empty: TCP
  std::string host;    ///< name or address, without brackets
  std::uint16_t port = 0;
  /// A program whose standard input and output are the connection (ssh to the server's host); empty: none. `host` and
  /// `port` are for messages then.
  std::vector<std::string> tunnel;
  bool tls = false;
  bool verify = true;         ///< the server's certificate and name; false only where the user said so
  std::string ca, cert, key;  ///< PEM files; empty: the system's authorities, no client certificate
  bool proxy = false;         ///< through the proxy that HTTPS_PROXY and NO_PROXY name, where they do
  unsigned patience = 0;      ///< seconds without a byte after which the server is given up; 0: never
};

struct HttpRequest {
  std::string method = "GET";
  std::string target;                ///< path and query, already percent-encoded
  std::vector<std::string> headers;  ///< "Name: value"
  std::string body;
  Source* upload = nullptr;       ///< sent instead of `body`; must outlive the answer's head
  std::uint64_t upload_size = 0;  ///< of `upload`, where it is known; else it is sent chunked
  std::string upgrade = "tcp";    ///< hijack(): what the connection is to become
};
// What a request sends may hold credentials: our copies of it are wiped.

struct HttpHead {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< names in lower case; of repeated ones the last
  /// One of them, by its name in lower case; empty where it is not there.
  std::string header(const std::string& name) const;
};

struct HttpAnswer : HttpHead {
  std::string body;
};

/// The server could not be reached; `number` is the errno, or 0 (a name that does not resolve, TLS).
class Unreachable : public Error {
 public:
  Unreachable(const std::string& what, int number) : Error(what), number_(number) {}
  int number() const noexcept { return number_; }

 private:
  int number_;
};

/// An answer whose body is pulled piece by piece; memory does not grow with it. next() throws Error where the body ends
/// before its announced end. Destroying it closes the connection.
class HttpBody : public Source {
 public:
  virtual const HttpHead& head() const = 0;
};

/// A connection that the server gave up to us after its head. Where the status is neither 101 nor 200, `stream` is null
/// and `body` is what the server said instead.
struct Hijacked {
  HttpAnswer answer;
  std::unique_ptr<Stream> stream;
};

/// A client of one server. Each request has a connection of its own, so that none meets a stale one. One thread at a
/// time; what open() and hijack() return may be used on another.
///
/// Interrupts (base/interrupt.hpp): connecting, GET, HEAD and everything open()ed stop with Interrupted. Any other
/// request, once sent, is waited for: closing the connection does not make an engine stop, and what it did then could
/// not be undone. An interrupt that was pending before the request began does not stop it: undoing is done by requests.
class HttpClient {
 public:
  explicit HttpClient(HttpEndpoint endpoint);

  /// The whole answer, of any status. Throws Unreachable, Interrupted, and Error where the answer is broken or its
  /// body is longer than `most`.
  HttpAnswer request(const HttpRequest& request, std::size_t most = std::size_t{64} << 20);
  /// Returns when the head is there.
  std::unique_ptr<HttpBody> open(const HttpRequest& request);
  /// Sends `Connection: Upgrade` and `Upgrade: tcp` along. Bytes that came with the head are the stream's first.
  Hijacked hijack(const HttpRequest& request);
  /// Sends the head alone, as it is: the request's body is for the caller to write, the answer, head and all, to read.
  /// A large body can so be sent while other connections are looked after, and given up at any time.
  std::unique_ptr<Stream> begin(const HttpRequest& request);

  const HttpEndpoint& endpoint() const noexcept { return endpoint_; }

 private:
  HttpEndpoint endpoint_;
  Fd folder_;           // of a socket whose path is too long for sockaddr_un
  std::string socket_;  // the path to connect to: the endpoint's, or one through folder_
};

/// Percent-encodes everything but RFC 3986's unreserved characters and those in `keep`.
std::string percent_encode(std::string_view text, std::string_view keep = {});

}  // namespace imgbuild
