#pragma once
#include <curl/curl.h>

#include <chrono>
#include <exception>
#include <memory>
#include <string>

#include "base/owned.hpp"
#include "http/client.hpp"
#include "http/tunnel.hpp"

namespace imgbuild {

/// One curl handle with its connection, driven step by step, so that a body is pulled instead of pushed and an
/// interrupt is noticed while nothing comes. Shared by what client.hpp offers. One thread.
class HttpTransfer {
 public:
  /// `connect_only`: the transfer is done once connected (and TLS is up); the rest is easy()'s send and recv.
  HttpTransfer(const HttpEndpoint& endpoint, const std::string& socket, const HttpRequest& request, bool connect_only);
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;
  ~HttpTransfer();

  /// Does some work, and waits where there is none. False once the transfer is complete. Throws as HttpClient says.
  bool step();
  /// Is the head complete?
  bool has_head() const noexcept { return has_head_; }
  const HttpHead& head() const noexcept { return head_; }
  /// What came of the body since the last clear(); one step brings a little over a megabyte at most.
  std::string& body() noexcept { return body_; }
  CURL* easy() const noexcept { return easy_.get(); }
  /// Also watch for interrupts once the request has been sent.
  void interruptible() noexcept { always_ = true; }

 private:
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self) noexcept;
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self) noexcept;
  static std::size_t on_upload(char* data, std::size_t size, std::size_t count, void* self) noexcept;
  static int on_request(void* self, char*, char*, int, int) noexcept;
  void take_header(std::string_view line);
  void fail(CURLcode code);

  std::unique_ptr<Tunnel> tunnel_;
  Owned<CURL, curl_easy_cleanup> easy_;
  Owned<CURLM, curl_multi_cleanup> multi_;
  Owned<curl_slist, curl_slist_free_all> headers_;
  std::string name_;  ///< of the endpoint, for messages
  std::string sent_body_;
  Source* upload_ = nullptr;
  View piece_;  ///< of upload_, not yet sent
  HttpHead head_;
  std::size_t head_bytes_ = 0;
  bool has_head_ = false, paused_ = false, sent_ = false, always_ = false, done_ = false;
  CURLcode failed_ = CURLE_OK;  ///< told once the body that came before was taken
  std::chrono::seconds patience_{0};
  std::chrono::steady_clock::duration waited_{0};  ///< since the last byte
  int known_ = 0;                                  ///< the interrupt that was pending before we began
  std::string body_;
  std::exception_ptr thrown_;  ///< out of a callback
  char message_[CURL_ERROR_SIZE] = "";
};

/// "unix:///run/docker.sock", "tcp://host:2376".
std::string name_of(const HttpEndpoint& endpoint);

/// Reads one line of a head into it: the status line, or a header. Throws Error on what is neither.
void read_head_line(std::string_view line, HttpHead& head);

/// The head of an answer may have so many bytes.
constexpr std::size_t most_head = std::size_t{64} << 10;

}  // namespace imgbuild
