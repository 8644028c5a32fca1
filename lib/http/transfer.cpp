// A curl "multi" handle with one transfer in it. curl pushes what it reads into callbacks; here a step is taken only
// when somebody wants bytes. Left alone, curl would go on reading while bytes come; the body callback pauses it once a
// megabyte is there, and the server is slowed down by its own full socket.
#include "http/transfer.hpp"

#include <poll.h>

#include <algorithm>
#include <cctype>
#include <cstring>

#include "base/interrupt.hpp"
#include "base/secret.hpp"
#include "base/text.hpp"

namespace imgbuild {
namespace {

constexpr long buffer_size = 512L << 10;
constexpr std::size_t enough_body = std::size_t{1} << 20;
constexpr long connect_seconds = 30;
constexpr std::chrono::milliseconds hurried{700};  // of silence

void start_curl() {
  static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (once != CURLE_OK) throw Error("libcurl does not start");
}

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  if (const CURLcode code = curl_easy_setopt(easy, option, value); code != CURLE_OK)
    throw Error(std::string("libcurl: ") + curl_easy_strerror(code));
}

}  // namespace

std::string name_of(const HttpEndpoint& endpoint) {
  if (!endpoint.socket.empty()) return "unix://" + printable(endpoint.socket);
  const bool v6 = endpoint.host.find(':') != std::string::npos;
  const std::string host = printable(v6 ? "[" + endpoint.host + "]" : endpoint.host);
  const std::string port = endpoint.port == 0 ? "" : ":" + std::to_string(endpoint.port);
  return (endpoint.tunnel.empty() ? "tcp://" : "ssh://") + host + port;
}

void read_head_line(std::string_view line, HttpHead& head) {
  line = trim(line);
  if (line.empty()) return;
  if (line.starts_with("HTTP/")) {
    head = {};
    const std::size_t space = line.find(' ');
    const std::string_view code = space == std::string_view::npos ? "" : line.substr(space + 1, 3);
    if (code.size() != 3 || !std::all_of(code.begin(), code.end(), [](char c) { return c >= '0' && c <= '9'; }))
      throw Error("the answer has no status");
    for (const char digit : code) head.status = head.status * 10 + (digit - '0');
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || head.status == 0) throw Error("the answer is not HTTP");
  head.headers[lower(line.substr(0, colon))] = std::string(trim(line.substr(colon + 1)));
}

HttpTransfer::HttpTransfer(const HttpEndpoint& endpoint, const std::string& socket, const HttpRequest& request,
                           bool connect_only)
    : name_(name_of(endpoint)),
      sent_body_(request.body),
      upload_(request.upload),
      patience_(endpoint.patience),
      known_(interrupt::pending()) {
  start_curl();
  easy_.reset(curl_easy_init());
  multi_.reset(curl_multi_init());
  if (!easy_ || !multi_) throw Error("libcurl: out of memory");
  CURL* easy = easy_.get();

  std::string url = endpoint.tls ? "https://" : "http://";
  if (!endpoint.tunnel.empty()) {
    tunnel_ = std::make_unique<Tunnel>(endpoint.tunnel);
    url += "localhost";
    set(easy, CURLOPT_UNIX_SOCKET_PATH, tunnel_->path().c_str());
  } else if (!endpoint.socket.empty()) {
    url += "localhost";
    set(easy, CURLOPT_UNIX_SOCKET_PATH, socket.c_str());
  } else {
    const bool v6 = endpoint.host.find(':') != std::string::npos;
    url += (v6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" + std::to_string(endpoint.port);
  }
  set(easy, CURLOPT_URL, (url + request.target).c_str());
  set(easy, CURLOPT_PATH_AS_IS, 1L);
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  if (!endpoint.proxy) set(easy, CURLOPT_PROXY, "");
  set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_CONNECTTIMEOUT, connect_seconds);
  set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  set(easy, CURLOPT_BUFFERSIZE, buffer_size);
  set(easy, CURLOPT_ERRORBUFFER, message_);
  if (endpoint.tls) {
    set(easy, CURLOPT_SSL_VERIFYPEER, endpoint.verify ? 1L : 0L);
    set(easy, CURLOPT_SSL_VERIFYHOST, endpoint.verify ? 2L : 0L);
    if (!endpoint.ca.empty()) set(easy, CURLOPT_CAINFO, endpoint.ca.c_str());
    if (!endpoint.cert.empty()) set(easy, CURLOPT_SSLCERT, endpoint.cert.c_str());
    if (!endpoint.key.empty()) set(easy, CURLOPT_SSLKEY, endpoint.key.c_str());
  }

  if (connect_only) {
    set(easy, CURLOPT_CONNECT_ONLY, 1L);
  } else {
    curl_slist* list = nullptr;
    const auto add = [&](const std::string& header) {
      curl_slist* longer = curl_slist_append(list, header.c_str());
      if (longer == nullptr) throw Error("libcurl: out of memory");
      if (list == nullptr) headers_.reset(longer);
      list = longer;
    };
    const bool typed = std::any_of(request.headers.begin(), request.headers.end(), [](const std::string& header) {
      return lower(header).starts_with("content-type:");
    });
    for (const auto& header : request.headers) add(header);
    if (!typed) add("Content-Type:");  // curl would call every body a form
    add("Expect:");
    if (request.method == "HEAD") {
      set(easy, CURLOPT_NOBODY, 1L);
    } else if (upload_ != nullptr) {
      set(easy, CURLOPT_POST, 1L);
      if (request.upload_size > 0)
        set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.upload_size));
      else
        add("Transfer-Encoding: chunked");
      set(easy, CURLOPT_UPLOAD_BUFFERSIZE, buffer_size);
      set(easy, CURLOPT_READFUNCTION, on_upload);
      set(easy, CURLOPT_READDATA, static_cast<void*>(this));
    } else if (request.method != "GET") {
      set(easy, CURLOPT_POSTFIELDS, sent_body_.c_str());
      set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(sent_body_.size()));
    }
    if (request.method != "HEAD") set(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    set(easy, CURLOPT_HTTPHEADER, headers_.get());
    set(easy, CURLOPT_HEADERFUNCTION, on_header);
    set(easy, CURLOPT_HEADERDATA, static_cast<void*>(this));
    set(easy, CURLOPT_WRITEFUNCTION, on_body);
    set(easy, CURLOPT_WRITEDATA, static_cast<void*>(this));
    set(easy, CURLOPT_PREREQFUNCTION, on_request);
    set(easy, CURLOPT_PREREQDATA, static_cast<void*>(this));
    always_ = request.method == "GET" || request.method == "HEAD";
  }
  if (curl_multi_add_handle(multi_.get(), easy) != CURLM_OK) throw Error("libcurl: out of memory");
}

HttpTransfer::~HttpTransfer() {
  curl_multi_remove_handle(multi_.get(), easy_.get());
  wipe(sent_body_.data(), sent_body_.size());
  for (curl_slist* header = headers_.get(); header != nullptr; header = header->next)
    wipe(header->data, std::strlen(header->data));
}

bool HttpTransfer::step() {
  if (failed_ != CURLE_OK) fail(failed_);
  if (done_) return false;
  const bool had_head = has_head_;
  if (paused_) {
    paused_ = false;
    curl_easy_pause(easy_.get(), CURLPAUSE_CONT);
  }
  int running = 0;
  if (curl_multi_perform(multi_.get(), &running) != CURLM_OK) throw Error(name_ + ": libcurl: out of memory");
  if (tunnel_) tunnel_->accept();
  if (thrown_) std::rethrow_exception(thrown_);
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    done_ = true;
    if (message->data.result != CURLE_OK) {
      // What came before the connection was lost is taken first: a download goes on behind it.
      failed_ = message->data.result;
      if (body_.empty()) fail(failed_);
      return true;
    }
    has_head_ = true;
    return false;
  }
  if (!body_.empty() || has_head_ != had_head) {
    waited_ = {};
    return true;
  }

  curl_waitfd signal = {interrupt::fd(), CURL_WAIT_POLLIN, 0};
  // Counted while we wait only: what lies between two steps is the time that its bytes are looked at.
  const auto began = std::chrono::steady_clock::now();
  const bool watching = known_ == 0 && signal.fd >= 0 && (always_ || !sent_);
  if (watching) interrupt::check();
  curl_multi_poll(multi_.get(), watching ? &signal : nullptr, watching ? 1 : 0, 500, nullptr);
  if (watching) interrupt::check();
  waited_ += std::chrono::steady_clock::now() - began;
  // An answer under way is waited for, but not for ever: the server may hang.
  if (interrupt::urgent() && waited_ > hurried) {
    if (known_ == 0) interrupt::check();
    throw Error(name_ + ": it does not answer");
  }
  if (patience_.count() > 0 && waited_ > patience_)
    throw Error(name_ + ": nothing came for " + std::to_string(patience_.count()) + " seconds");
  return true;
}

void HttpTransfer::fail(CURLcode code) {
  long number = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &number);
  const std::string why = printable(message_[0] != '\0' ? message_ : curl_easy_strerror(code));
  if (const std::string said = tunnel_ ? tunnel_->words() : ""; !said.empty() && !has_head_)
    throw Unreachable(name_ + ": " + said, 0);
  if (!sent_)
    throw Unreachable(name_ + ": " + (number != 0 ? std::strerror(static_cast<int>(number)) : why),
                      static_cast<int>(number));
  if (code == CURLE_GOT_NOTHING || code == CURLE_PARTIAL_FILE)
    throw Error(name_ + ": the connection ended before the answer did");
  throw Error(name_ + ": " + why);
}

void HttpTransfer::take_header(std::string_view line) {
  head_bytes_ += line.size();
  if (head_bytes_ > most_head) throw Error(name_ + ": the answer's head is longer than 64 KiB");
  if (trim(line).empty()) {
    has_head_ = head_.status >= 200 || head_.status == 101;  // "100 Continue" goes before a head
    return;
  }
  if (!has_head_) read_head_line(line, head_);  // after the body come trailers
}

std::size_t HttpTransfer::on_header(char* data, std::size_t size, std::size_t count, void* self) noexcept {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  try {
    transfer.take_header({data, size * count});
    return size * count;
  } catch (...) {
    transfer.thrown_ = std::current_exception();
    return 0;
  }
}

std::size_t HttpTransfer::on_body(char* data, std::size_t size, std::size_t count, void* self) noexcept {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  if (transfer.body_.size() >= enough_body) {
    transfer.paused_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  try {
    transfer.body_.append(data, size * count);
    return size * count;
  } catch (...) {
    transfer.thrown_ = std::current_exception();
    return 0;
  }
}

std::size_t HttpTransfer::on_upload(char* data, std::size_t size, std::size_t count, void* self) noexcept {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  try {
    if (transfer.piece_.empty()) transfer.piece_ = transfer.upload_->next();
    const std::size_t n = std::min(size * count, transfer.piece_.size());
    if (n > 0) std::memcpy(data, transfer.piece_.data(), n);
    transfer.piece_ = transfer.piece_.subspan(n);
    transfer.waited_ = {};  // it takes what we send
    return n;
  } catch (...) {
    transfer.thrown_ = std::current_exception();
    return CURL_READFUNC_ABORT;
  }
}

int HttpTransfer::on_request(void* self, char*, char*, int, int) noexcept {
  static_cast<HttpTransfer*>(self)->sent_ = true;
  return CURL_PREREQFUNC_OK;
}

}  // namespace imgbuild
