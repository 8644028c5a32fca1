#include "agent/upstream.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "base/unix_socket.hpp"
#include "crypto/ssh_wire.hpp"

namespace imgbuild {

HeldKey HeldKey::load(const std::string& path) {
  HeldKey held{SigningKey::load(path), std::nullopt};
  const std::string beside = path + "-cert.pub";
  if (::access(beside.c_str(), F_OK) != 0) return held;
  try {
    held.certificate = parse_ssh_key_line(read_file(beside, 1 << 20));
    if (held.certificate->plain != held.key.public_key().plain) throw Error("the certificate of another key");
  } catch (const Error& error) {
    throw error.within(printable(beside));
  }
  return held;
}

SigningKey parse_pasted_key(std::string_view text, const std::string& name) {
  constexpr const char* begin = "-----BEGIN ";
  Secret decoded;
  if (text.find(begin) == std::string_view::npos) {
    Bytes letters;
    letters.reserve(text.size());
    for (const char c : text)
      if (c != '\n' && c != '\r' && c != ' ' && c != '\t') letters.push_back(static_cast<std::uint8_t>(c));
    if (auto bytes = unbase64(text_of(letters))) {
      if (text_of(*bytes).find(begin) != std::string_view::npos) decoded = Secret(text_of(*bytes));
      wipe(bytes->data(), bytes->size());
    }
    wipe(letters.data(), letters.size());
  }
  try {
    return SigningKey::parse(decoded.empty() ? text : decoded.reveal(), name);
  } catch (const Error& error) {
    if (error.hint().empty()) throw;
    throw Error(error.what(),
                "an agent can open it (ssh-add); or use a deploy key of its own without a passphrase, kept as the "
                "CI system's secret");
  }
}

SocketUpstream::SocketUpstream(std::string path)
    : path_(std::move(path)), cancelled_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!cancelled_) throw system_error("eventfd", errno);
}

void SocketUpstream::connect() {
  Fd made = connect_unix(path_);
  if (::fcntl(made.get(), F_SETFL, O_NONBLOCK) != 0) throw system_error(printable(path_), errno);
  socket_ = std::move(made);
}

// Without a limit: a person may have to find the hardware key first.
void SocketUpstream::wait(short events) {
  pollfd watched[] = {{socket_.get(), events, 0}, {cancelled_.get(), POLLIN, 0}, {interrupt::fd(), POLLIN, 0}};
  while (::poll(watched, std::size(watched), -1) < 0)
    if (errno != EINTR) throw system_error("poll", errno);
  if (watched[1].revents != 0) throw Error("the agent is no longer asked");
  if (watched[2].revents != 0) interrupt::check();
}

void SocketUpstream::send(View bytes) {
  while (!bytes.empty()) {
    wait(POLLOUT);
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR && errno != EAGAIN) throw Error("the ssh agent is gone");
    if (sent > 0) bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
}

void SocketUpstream::receive(std::span<std::uint8_t> into) {
  while (!into.empty()) {
    wait(POLLIN);
    const ssize_t got = ::recv(socket_.get(), into.data(), into.size(), 0);
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) throw Error("the ssh agent is gone");
    if (got > 0) into = into.subspan(static_cast<std::size_t>(got));
  }
}

Bytes SocketUpstream::ask(View message) {
  if (!socket_) connect();
  send(WireWriter().string(message).bytes());
  Bytes head(4);
  receive(head);
  const std::uint32_t size = WireReader(head).u32();
  if (size == 0 || size > agent::largest_frame)
    throw Error("the ssh agent answers with " + std::to_string(size) + " bytes");
  Bytes answer(size);
  receive(answer);
  return answer;
}

void SocketUpstream::cancel() noexcept {
  const std::uint64_t one = 1;
  // Fails only where the counter is full, and then the descriptor is readable all the same.
  [[maybe_unused]] const ssize_t written = ::write(cancelled_.get(), &one, sizeof one);
}

const SigningKey* HeldKeys::find(View blob) const {
  const auto is = [&](const SshKey& key) { return text_of(key.blob) == text_of(blob); };
  for (const auto& held : keys_)
    if (is(held.key.public_key()) || (held.certificate && is(*held.certificate))) return &held.key;
  return nullptr;
}

Bytes HeldKeys::list() {
  std::vector<Bytes> blobs;
  for (const auto& held : keys_) {
    blobs.push_back(held.key.public_key().blob);
    if (held.certificate) blobs.push_back(held.certificate->blob);
  }
  if (agent_)
    for (auto& blob : parse_identities(agent_->ask(Bytes{agent::request_identities})))
      if (find(blob) == nullptr) blobs.push_back(std::move(blob));
  WireWriter answer;
  answer.byte(agent::identities_answer).u32(static_cast<std::uint32_t>(blobs.size()));
  for (const auto& blob : blobs) answer.string(blob).string("");
  return answer.take();
}

Bytes HeldKeys::ask(View message) {
  if (message[0] == agent::request_identities) return list();
  if (message[0] == agent::sign_request) {
    WireReader in(message.subspan(1));
    const SigningKey* key = find(in.string());
    const View data = in.string();
    if (key != nullptr) return WireWriter().byte(agent::sign_response).string(key->sign(data, in.u32())).take();
  }
  return agent_ ? agent_->ask(message) : Bytes{agent::failure};
}

void HeldKeys::cancel() noexcept {
  if (agent_) agent_->cancel();
}

}  // namespace imgbuild
