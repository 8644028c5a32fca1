#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "relay/guest/guest.hpp"

namespace imgbuild::guest {
namespace {

std::string input, output;
std::size_t input_at = 0, output_at = 0;

void wait_for(int file, short what) {
  pollfd wait{file, what, 0};
  while (::poll(&wait, 1, -1) < 0 && errno == EINTR) {
  }
}

}  // namespace

std::string number_text(unsigned long long value) {
  char digits[24];
  char* at = digits + sizeof digits;
  do *--at = static_cast<char>('0' + value % 10);
  while ((value /= 10) != 0);
  return std::string(at, static_cast<std::size_t>(digits + sizeof digits - at));
}

bool fill_input() {
  if (input_at > 0) {
    input.erase(0, input_at);
    input_at = 0;
  }
  char piece[65536];
  const ssize_t n = ::read(STDIN_FILENO, piece, sizeof piece);
  if (n > 0) input.append(piece, static_cast<std::size_t>(n));
  return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

bool take_frame(Frame& frame) {
  if (input.size() - input_at < wire::header_size) return false;
  const auto* head = reinterpret_cast<const std::uint8_t*>(input.data()) + input_at;
  const std::size_t length = wire::payload_length(head);
  if (length > wire::most_payload) give_up();
  if (input.size() - input_at < wire::header_size + length) return false;
  frame.kind = static_cast<Kind>(head[4]);
  frame.channel = wire::get_u32(head + 5);
  frame.payload.assign(input, input_at + wire::header_size, length);
  input_at += wire::header_size + length;
  return true;
}

Frame next_frame() {
  Frame frame;
  while (!take_frame(frame)) {
    wait_for(STDIN_FILENO, POLLIN);
    if (!fill_input()) give_up();
  }
  return frame;
}

void send(Kind kind, std::uint32_t channel, std::string_view payload) {
  do {
    const std::string_view piece = payload.substr(0, wire::most_payload);
    std::uint8_t head[wire::header_size];
    wire::put_header(head, kind, channel, piece.size());
    output.append(reinterpret_cast<const char*>(head), sizeof head);
    output += piece;
    payload.remove_prefix(piece.size());
  } while (!payload.empty());
}

std::size_t unsent() { return output.size() - output_at; }

void write_some() {
  while (unsent() > 0) {
    const ssize_t n = ::write(STDOUT_FILENO, output.data() + output_at, unsent());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0) give_up();
    output_at += static_cast<std::size_t>(n);
  }
  if (output_at > (std::size_t{64} << 10) || unsent() == 0) {
    output.erase(0, output_at);
    output_at = 0;
  }
}

void flush() {
  for (write_some(); unsent() > 0; write_some()) wait_for(STDOUT_FILENO, POLLOUT);
}

void fail(const std::string& why, int number) {
  std::string text = why;
  if (number != 0) text += std::string(": ") + ::strerror(number);
  send(Kind::failed, 0, text.substr(0, 4096));
  flush();
  ::_exit(1);
}

}  // namespace imgbuild::guest
