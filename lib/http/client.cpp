#include "http/client.hpp"

#include <fcntl.h>
#include <sys/un.h>

#include <cerrno>

#include "http/hijack.hpp"
#include "http/transfer.hpp"

namespace imgbuild {
namespace {

class Download : public HttpBody {
 public:
  explicit Download(std::unique_ptr<HttpTransfer> transfer) : transfer_(std::move(transfer)) {
    while (!transfer_->has_head() && transfer_->step()) {
    }
  }

  const HttpHead& head() const override { return transfer_->head(); }

  View next() override {
    // What came together with the head is the first piece.
    if (given_) transfer_->body().clear();
    given_ = true;
    while (transfer_->body().empty() && transfer_->step()) {
    }
    return view_of(transfer_->body());
  }

 private:
  std::unique_ptr<HttpTransfer> transfer_;
  bool given_ = false;
};

}  // namespace

std::string HttpHead::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string() : found->second;
}

HttpClient::HttpClient(HttpEndpoint endpoint) : endpoint_(std::move(endpoint)), socket_(endpoint_.socket) {
  if (socket_.size() < sizeof(sockaddr_un::sun_path)) return;
  // Too long for sockaddr_un: through a descriptor of its folder.
  const std::size_t slash = socket_.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : socket_.substr(0, slash + 1);
  folder_ = Fd(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder_) {
    const int number = errno;
    throw Unreachable(system_error(name_of(endpoint_), number).what(), number);
  }
  socket_ = "/proc/self/fd/" + std::to_string(folder_.get()) + "/" + socket_.substr(slash + 1);
}

HttpAnswer HttpClient::request(const HttpRequest& request, std::size_t most) {
  HttpTransfer transfer(endpoint_, socket_, request, false);
  HttpAnswer answer;
  bool more = true;
  while (more) {
    more = transfer.step();
    if (answer.body.size() + transfer.body().size() > most)
      throw Error(name_of(endpoint_) + ": the answer is longer than " + std::to_string(most) + " bytes");
    answer.body += transfer.body();
    transfer.body().clear();
  }
  static_cast<HttpHead&>(answer) = transfer.head();
  return answer;
}

std::unique_ptr<HttpBody> HttpClient::open(const HttpRequest& request) {
  auto transfer = std::make_unique<HttpTransfer>(endpoint_, socket_, request, false);
  transfer->interruptible();
  return std::make_unique<Download>(std::move(transfer));
}

Hijacked HttpClient::hijack(const HttpRequest& request) {
  return hijack_connection(std::make_unique<HttpTransfer>(endpoint_, socket_, request, true), request, endpoint_);
}

std::unique_ptr<Stream> HttpClient::begin(const HttpRequest& request) {
  return begin_request(std::make_unique<HttpTransfer>(endpoint_, socket_, request, true), request, endpoint_);
}

std::string percent_encode(std::string_view text, std::string_view keep) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos ||
                       keep.find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += digits[static_cast<unsigned char>(c) >> 4];
      out += digits[static_cast<unsigned char>(c) & 15];
    }
  }
  return out;
}

}  // namespace imgbuild
