// One loop over the session, the upload and those of our answers that take their time (a person may touch a key, a
// credential helper may ask one): these come from RelayClients' threads.
//
// The services are BuildKit's (github.com/moby/buildkit, session/): of their messages we need one field each.
#include "build/build_session.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/text.hpp"
#include "build/surroundings.hpp"
#include "buildkit/protobuf.hpp"

namespace imgbuild {
namespace {

constexpr const char* health_check = "/grpc.health.v1.Health/Check";
constexpr const char* check_agent = "/moby.sshforward.v1.SSH/CheckAgent";
constexpr const char* forward_agent = "/moby.sshforward.v1.SSH/ForwardAgent";
constexpr const char* get_secret = "/moby.buildkit.secrets.v1.Secrets/GetSecret";
constexpr const char* credentials = "/moby.filesync.v1.Auth/Credentials";

std::string first_text(View message) {
  ProtoFields fields(message);
  while (fields.next())
    if (fields.field() == 1) return fields.text();
  return {};
}

// A message with one field, wiped with its owner.
struct Wiped {
  Bytes bytes;
  ~Wiped() { wipe(bytes.data(), bytes.size()); }
};

Bytes data_message(View data) {
  Bytes message;
  message.reserve(data.size() + 16);  // so that no copy of a secret is left behind by growing
  put_field(message, 1, data);
  return message;
}

}  // namespace

std::vector<std::string> BuildSession::methods(const Lent& lent) {
  std::vector<std::string> all = {health_check, get_secret, credentials};
  if (lent.gateway != nullptr) {
    all.emplace_back(check_agent);
    all.emplace_back(forward_agent);
  }
  return all;
}

BuildSession::BuildSession(std::unique_ptr<Stream> session, std::unique_ptr<Stream> upload, int tar, std::uint64_t size,
                           Lent lent)
    : session_(std::move(session)),
      upload_(std::move(upload)),
      tar_(tar),
      size_(size),
      lent_(std::move(lent)),
      stop_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!stop_) throw system_error("eventfd", errno);
  GrpcServer::Events events;
  events.opened = [this](std::uint32_t call, const std::string& method, const auto&) { opened(call, method); };
  events.message = [this](std::uint32_t call, View message) { asked(call, message); };
  events.said_all = [this](std::uint32_t call) {
    const auto at = calls_.find(call);
    if (at == calls_.end() || at->second.kind != Kind::agent) return;
    clients_.close(call);
    server_->finish(call, GrpcStatus::ok);
  };
  events.gone = [this](std::uint32_t call) {
    clients_.close(call);
    calls_.erase(call);
  };
  server_ = std::make_unique<GrpcServer>(std::move(events));
  thread_ = std::thread([this] { serve(); });
}

BuildSession::~BuildSession() {
  if (lent_.gateway != nullptr) lent_.gateway->close();
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(stop_.get(), &one, sizeof one);
  thread_.join();
}

std::string BuildSession::failure() const {
  const std::lock_guard hold(mutex_);
  return failure_;
}

std::vector<std::string> BuildSession::warnings() const {
  const std::lock_guard hold(mutex_);
  return warnings_;
}

void BuildSession::warn(const std::string& line) {
  const std::lock_guard hold(mutex_);
  if (std::find(warnings_.begin(), warnings_.end(), line) == warnings_.end() && warnings_.size() < 100)
    warnings_.push_back(line);
}

void BuildSession::opened(std::uint32_t call, const std::string& method) {
  const auto offered = methods(lent_);
  if (std::find(offered.begin(), offered.end(), method) == offered.end()) {
    server_->finish(call, GrpcStatus::unimplemented, "not offered: " + method);
    return;
  }
  Call& made = calls_[call];
  made.method = method;
  if (method == forward_agent) {
    made.kind = Kind::agent;
    clients_.open(call, [client = std::shared_ptr<Gateway::Client>(lent_.gateway->client())](View bytes) {
      return client->serve(bytes);
    });
  }
}

void BuildSession::asked(std::uint32_t call, View message) {
  const auto at = calls_.find(call);
  if (at == calls_.end()) return;
  const std::string& method = at->second.method;
  if (method == forward_agent) {
    ProtoFields fields(message);
    while (fields.next())
      if (fields.field() == 1 && !clients_.take(call, fields.bytes()))
        server_->finish(call, GrpcStatus::unavailable, "more was asked than is answered");
  } else if (method == get_secret) {
    give_secret(call, message);
  } else if (method == credentials) {
    give_login(call, message);
  } else if (method == health_check) {
    Bytes serving;
    put_field(serving, 1, std::uint64_t{1});
    server_->reply(call, serving);
    server_->finish(call, GrpcStatus::ok);
  } else {  // CheckAgent: whatever the agent is called in the Dockerfile, there is one
    server_->reply(call, {});
    server_->finish(call, GrpcStatus::ok);
  }
}

void BuildSession::give_secret(std::uint32_t call, View message) {
  const std::string id = first_text(message);
  Wiped answer;
  const auto known = std::find_if(lent_.secrets->begin(), lent_.secrets->end(),
                                  [&](const HandedSecret& secret) { return secret.id == id; });
  if (known != lent_.secrets->end()) {
    answer.bytes = data_message(view_of(known->value.reveal()));
  } else if (const auto file = lent_.files.find(id); file != lent_.files.end() && !file->second.empty()) {
    answer.bytes = data_message(view_of(file->second));
  } else if (const auto login = git_login(lent_.git_tokens, *lent_.secrets, id)) {
    // BuildKit itself asks by several names, whatever it fetches, and does without.
    if (login->empty()) return server_->finish(call, GrpcStatus::not_found, "secret " + id + ": not found");
    answer.bytes = data_message(view_of(login->reveal()));
  } else {
    warn("the build asked for the secret " + printable(id) + ", which it was not given (--secret id=" + printable(id) +
         ",src=FILE)");
    server_->finish(call, GrpcStatus::not_found, "secret " + id + ": not found");
    return;
  }
  server_->reply(call, answer.bytes);
  server_->finish(call, GrpcStatus::ok);
}

void BuildSession::give_login(std::uint32_t call, View message) {
  clients_.open(call, [this](View asked_for) -> Bytes {
    const std::string host = first_text(asked_for);
    Bytes answer;
    try {
      const Login login = lent_.login(host);
      const std::string_view word =
          login.identity_token.empty() ? login.password.reveal() : login.identity_token.reveal();
      answer.reserve(login.user.size() + word.size() + 32);
      // BuildKit takes a secret without a user for an identity token.
      if (login.identity_token.empty() && !login.user.empty()) put_field(answer, 1, view_of(login.user));
      if (!word.empty()) put_field(answer, 2, view_of(word));
    } catch (const Error& error) {
      warn("no login for " + printable(host) + ": " + error.what());
    }
    answer.push_back(0);  // an answer without bytes would be none
    return answer;
  });
  // Never empty, so that the asking counts as something.
  Bytes question(message.begin(), message.end());
  if (question.empty()) put_field(question, 1, View{});
  clients_.take(call, question);
}

void BuildSession::take_answers() {
  for (auto& answer : clients_.answers()) {
    const auto at = calls_.find(answer.channel);
    if (at == calls_.end()) continue;
    if (at->second.kind == Kind::agent) {
      const bool taken = answer.bytes.empty() || server_->reply(answer.channel, data_message(answer.bytes));
      if (answer.closed || !taken)
        server_->finish(answer.channel, GrpcStatus::unavailable, "the agent does not answer any more");
      continue;
    }
    if (answer.bytes.empty()) {
      server_->finish(answer.channel, GrpcStatus::internal, "no login");
    } else {
      server_->reply(answer.channel, View(answer.bytes).first(answer.bytes.size() - 1));
      server_->finish(answer.channel, GrpcStatus::ok);
    }
    wipe(answer.bytes.data(), answer.bytes.size());
    clients_.close(answer.channel);
  }
}

// False at the end of the connection.
bool BuildSession::take_session() {
  std::uint8_t piece[65536];
  for (;;) {
    const auto n = session_->read(piece);
    if (!n) return true;
    if (*n == 0) return false;
    server_->feed({piece, *n});
  }
}

// True where something waits to be sent.
bool BuildSession::send_session() {
  for (View out = server_->output(); !out.empty(); out = server_->output()) {
    const std::size_t n = session_->write(out);
    if (n == 0) return true;
    server_->sent(n);
  }
  return false;
}

// True where something waits to be sent. The upload is closed once the engine has answered, or does not listen any
// more.
bool BuildSession::send_context() {
  constexpr std::size_t piece = std::size_t{256} << 10;
  try {
    std::uint8_t said[4096];
    for (;;) {
      const auto n = upload_->read(said);
      if (!n) break;
      if (*n > 0) upload_answer_ += text_of({said, *n});
      const bool refused = upload_answer_.size() > 12 && upload_answer_.substr(8, 4) != " 200";
      if (refused && (*n == 0 || upload_answer_.size() > 8192)) {
        const auto body = upload_answer_.find("\r\n\r\n");
        throw Error("engine: it refuses the context: " +
                    printable(trim(body == std::string::npos ? upload_answer_ : upload_answer_.substr(body + 4))));
      }
      if (*n == 0) {
        upload_.reset();
        return false;
      }
    }
    for (;;) {
      if (piece_.empty()) {
        if (at_ == size_) return false;
        piece_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(piece, size_ - at_)));
        if (read_full_at(tar_, at_, piece_, "the context") != piece_.size()) throw Error("the context has shrunk");
        at_ += piece_.size();
      }
      const std::size_t n = upload_->write(piece_);
      if (n == 0) return true;
      piece_.erase(piece_.begin(), piece_.begin() + static_cast<std::ptrdiff_t>(n));
    }
  } catch (const Error& error) {
    if (std::string_view(error.what()).starts_with("engine: ") ||
        std::string_view(error.what()).starts_with("the context"))
      throw;
    upload_.reset();  // the builder has what it wants, or fails and says why itself
    return false;
  }
}

void BuildSession::serve() noexcept {
  try {
    for (;;) {
      const bool open = take_session();
      take_answers();
      const bool uploading = upload_ && send_context();
      const bool waiting = send_session();
      if (!open || server_->over()) break;

      pollfd waits[4] = {{stop_.get(), POLLIN, 0},
                         {clients_.fd(), POLLIN, 0},
                         {session_->fd(), static_cast<short>(waiting ? POLLIN | POLLOUT : POLLIN), 0},
                         {upload_ ? upload_->fd() : -1, static_cast<short>(uploading ? POLLIN | POLLOUT : POLLIN), 0}};
      if (::poll(waits, 4, -1) < 0 && errno != EINTR) throw system_error("poll", errno);
      if (waits[0].revents != 0) break;
    }
  } catch (const std::exception& error) {
    const std::lock_guard hold(mutex_);
    failure_ =
        std::string(error.what()).starts_with("engine: ") ? error.what() : std::string("session: ") + error.what();
  }
  clients_.finish();
  session_.reset();
  upload_.reset();
}

}  // namespace imgbuild
