// An engine answers attach and exec with "101 UPGRADED" and from then on the connection carries raw bytes in both
// directions. curl has no words for that: it opens the connection (unix, TCP, TLS), and the head of the request and of
// the answer are ours. An answer that is no upgrade is an error with a short body, read by its length or its chunks.
#include "http/hijack.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "base/interrupt.hpp"
#include "base/text.hpp"

namespace imgbuild {
namespace {

class HijackedStream : public Stream {
 public:
  HijackedStream(std::unique_ptr<HttpTransfer> connection, std::string name)
      : connection_(std::move(connection)), name_(std::move(name)) {
    curl_socket_t socket = CURL_SOCKET_BAD;
    curl_easy_getinfo(connection_->easy(), CURLINFO_ACTIVESOCKET, &socket);
    if (socket == CURL_SOCKET_BAD) throw Error(name_ + ": the connection is gone");
    fd_ = socket;
  }

  int fd() const override { return fd_; }

  std::optional<std::size_t> read(std::span<std::uint8_t> into) override {
    if (at_ < early_.size()) {
      const std::size_t n = std::min(into.size(), early_.size() - at_);
      std::copy_n(early_.begin() + static_cast<std::ptrdiff_t>(at_), n, into.begin());
      at_ += n;
      return n;
    }
    std::size_t n = 0;
    const CURLcode code = curl_easy_recv(connection_->easy(), into.data(), into.size(), &n);
    if (code == CURLE_AGAIN) return std::nullopt;
    if (code != CURLE_OK) throw Error(name_ + ": the connection broke: " + curl_easy_strerror(code));
    return n;
  }

  std::size_t write(View bytes) override {
    if (bytes.empty()) return 0;
    std::size_t n = 0;
    const CURLcode code = curl_easy_send(connection_->easy(), bytes.data(), bytes.size(), &n);
    if (code == CURLE_AGAIN) return 0;
    if (code != CURLE_OK) throw Error(name_ + ": the connection broke: " + curl_easy_strerror(code));
    return n;
  }

  /// Bytes that came with the head: read first.
  void give_back(std::string_view bytes) {
    early_.assign(bytes.begin(), bytes.end());
    at_ = 0;
  }

  void wait(short events) const {
    pollfd waits[] = {{fd_, events, 0}, {interrupt::fd(), POLLIN, 0}};
    if (::poll(waits, 2, -1) < 0 && errno != EINTR) throw system_error(name_ + ": poll", errno);
    interrupt::check();
  }

  const std::string& name() const { return name_; }

 private:
  std::unique_ptr<HttpTransfer> connection_;
  std::string name_;
  int fd_ = -1;
  Bytes early_;
  std::size_t at_ = 0;
};

// Appends what comes next; false at the end.
bool read_more(HijackedStream& stream, std::string& text) {
  std::uint8_t piece[16384];
  std::optional<std::size_t> n;
  while (!(n = stream.read(piece))) stream.wait(POLLIN);
  text += text_of({piece, *n});
  return *n > 0;
}

void send_all(HijackedStream& stream, std::string_view text) {
  while (!text.empty()) {
    const std::size_t n = stream.write(view_of(text));
    if (n == 0) stream.wait(POLLOUT);
    text.remove_prefix(n);
  }
}

// The data of a chunked body (RFC 9112 section 7.1); stops where it is damaged, since it only explains a refusal.
std::string unchunk(std::string_view text) {
  std::string out;
  while (true) {
    const std::size_t line = text.find("\r\n");
    std::size_t size = 0;
    if (line == std::string_view::npos) return out;
    const auto [end, error] = std::from_chars(text.data(), text.data() + line, size, 16);
    if (error != std::errc() || end == text.data() || size == 0) return out;
    text.remove_prefix(line + 2);
    out += text.substr(0, size);
    if (text.size() < size + 2) return out;
    text.remove_prefix(size + 2);
  }
}

std::string refusal(HijackedStream& stream, const HttpHead& head, std::string text) {
  constexpr std::size_t most = std::size_t{64} << 10;
  const auto header = [&](const char* name) {
    const auto found = head.headers.find(name);
    return found == head.headers.end() ? std::string() : found->second;
  };
  if (lower(header("transfer-encoding")).find("chunked") != std::string::npos) {
    while (text.size() < most && !text.ends_with("0\r\n\r\n") && read_more(stream, text)) {
    }
    return unchunk(text);
  }
  std::size_t length = most;
  const std::string announced = header("content-length");
  std::from_chars(announced.data(), announced.data() + announced.size(), length);
  length = std::min(length, most);
  while (text.size() < length && read_more(stream, text)) {
  }
  text.resize(std::min(text.size(), length));
  return text;
}

// The request line and the headers, without the empty line that ends them.
std::string head_of(const HttpRequest& request, const HttpEndpoint& endpoint) {
  const bool v6 = endpoint.host.find(':') != std::string::npos;
  std::string head = request.method + " " + request.target + " HTTP/1.1\r\nHost: ";
  head += !endpoint.socket.empty() || !endpoint.tunnel.empty()
              ? "localhost"
              : (v6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" + std::to_string(endpoint.port);
  head += "\r\n";
  for (const auto& header : request.headers) head += header + "\r\n";
  return head;
}

std::unique_ptr<HijackedStream> connected(std::unique_ptr<HttpTransfer> connection, const HttpEndpoint& endpoint) {
  while (connection->step()) {
  }
  return std::make_unique<HijackedStream>(std::move(connection), name_of(endpoint));
}

}  // namespace

std::unique_ptr<Stream> begin_request(std::unique_ptr<HttpTransfer> connection, const HttpRequest& request,
                                      const HttpEndpoint& endpoint) {
  auto stream = connected(std::move(connection), endpoint);
  send_all(*stream, head_of(request, endpoint) + "\r\n");
  return stream;
}

Hijacked hijack_connection(std::unique_ptr<HttpTransfer> connection, const HttpRequest& request,
                           const HttpEndpoint& endpoint) {
  auto stream = connected(std::move(connection), endpoint);
  send_all(*stream, head_of(request, endpoint) + "Connection: Upgrade\r\nUpgrade: " + request.upgrade +
                        "\r\nContent-Length: " + std::to_string(request.body.size()) + "\r\n\r\n" + request.body);

  std::string text;
  std::size_t end = std::string::npos;
  Hijacked hijacked;
  do {
    while ((end = text.find("\r\n\r\n")) == std::string::npos || end > most_head) {
      if (text.size() > most_head) throw Error(stream->name() + ": the answer's head is longer than 64 KiB");
      if (!read_more(*stream, text)) throw Error(stream->name() + ": the connection ended before the answer did");
    }
    for (const auto& line : split(std::string_view(text).substr(0, end), '\n')) read_head_line(line, hijacked.answer);
    text.erase(0, end + 4);
  } while (hijacked.answer.status >= 100 && hijacked.answer.status < 200 && hijacked.answer.status != 101);

  if (hijacked.answer.status == 101 || hijacked.answer.status == 200) {
    stream->give_back(text);
    hijacked.stream = std::move(stream);
  } else {
    hijacked.answer.body = refusal(*stream, hijacked.answer, std::move(text));
  }
  return hijacked;
}

}  // namespace imgbuild
