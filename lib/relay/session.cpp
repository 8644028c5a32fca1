// The driver's side of the conversation: one loop that sends what is to be sent as fast as it is taken, and acts on
// what comes. What waits to be sent is bounded: the context is read as there is room, an agent's client has one answer
// under way, and a client that does not read is dropped.
#include "relay/session.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <deque>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "relay/clients.hpp"
#include "relay/frames.hpp"

namespace imgbuild {
namespace {

using wire::Kind;
using Clock = std::chrono::steady_clock;
constexpr std::size_t most_queued = std::size_t{1} << 20;
// A relay reads whatever else happens. One that asks and asks and does not is none.
constexpr std::size_t most_unread_answers = std::size_t{16} << 20;

}  // namespace

std::vector<std::string> relay_bootstrap(const std::string& home, std::size_t program_size) {
  const std::string size = std::to_string(program_size);
  return {"sh", "-c",
          "cd " + home + " && { command -v chmod >/dev/null || { echo the base has no chmod >&2; exit 127; }; } && " +
              "if command -v head >/dev/null; then head -c " + size + "; " +
              "elif command -v dd >/dev/null; then dd bs=1 count=" + size + " 2>/dev/null; " +
              "else echo the base has neither head nor dd >&2; exit 127; fi >relay && " + "chmod 755 relay && exec " +
              home + "/relay"};
}

struct RelaySession::Inside {
  Inside(Stream& over, View bytes) : stream(over), program(bytes) {}

  void send(Kind kind, View payload, std::uint32_t channel = 0) {
    do {
      const View piece = payload.first(std::min(payload.size(), wire::most_payload));
      std::uint8_t head[wire::header_size];
      wire::put_header(head, kind, channel, piece.size());
      queue.insert(queue.end(), head, head + sizeof head);
      queue.insert(queue.end(), piece.begin(), piece.end());
      payload = payload.subspan(piece.size());
    } while (!payload.empty());
  }
  void send(Kind kind, std::string_view payload = {}) { send(kind, view_of(payload)); }

  // What was sent may be a secret's.
  void forget_sent() {
    if (queue_at == 0) return;
    wipe(queue.data(), queue_at);
    queue.erase(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(queue_at));
    queue_at = 0;
  }

  void begin(const RelayTask& task);
  void send_more_tar(const RelayTask& task);
  void write_some();
  enum class Read { all, some, end };
  Read read_some(const RelayTask& task, const RelayEvents& events);
  void act(const RelayFrame& frame, const RelayTask& task, const RelayEvents& events);
  void wait();

  Stream& stream;
  View program;
  Bytes queue;
  std::size_t queue_at = 0, program_at = 0;
  bool greeted = false, sending_tar = false;
  std::string broken;  // why the connection is
  std::uint64_t tar_at = 0;
  RelayFrames frames;
  RelayClients clients;
  RelayResult result;
  std::optional<Clock::time_point> started;
};

// Everything but the context, which follows as there is room.
void RelaySession::Inside::begin(const RelayTask& task) {
  std::size_t all =
      most_queued + 2 * wire::most_payload + task.script.size() + task.known_hosts.size() + task.certificates.size();
  for (const auto* words : {&task.base_env, &task.env, &task.command, &task.volumes})
    for (const auto& word : *words) all += word.size() + 2 * wire::header_size;
  for (const auto& [id, value] : task.secrets) all += value->reveal().size() + 1024;
  for (const auto& file : task.lent_files) all += file.content->reveal().size() + file.place.size() + 1024;
  queue.reserve(queue.size() + all);  // so that no copy of a secret stays behind
  send(Kind::home, task.home);
  send(Kind::context, task.context);
  send(Kind::accounts, task.accounts);
  if (task.container) send(Kind::container);
  send(Kind::user, task.user);
  for (const auto& [id, value] : task.secrets) {
    send(Kind::secret, id);
    send(Kind::secret_bytes, value->reveal());
  }
  for (const auto& file : task.lent_files) {
    char mode[16];
    std::snprintf(mode, sizeof mode, "%o ", file.mode & 0777u);
    send(Kind::lent_file, mode + file.place);
    send(Kind::lent_bytes, file.content->reveal());
  }
  send(Kind::workdir, task.workdir);
  for (const auto& entry : task.base_env) send(Kind::base_env, entry);
  for (const auto& entry : task.env) send(Kind::env, entry);
  for (const auto& word : task.command) send(Kind::argument, word);
  if (task.command.empty()) send(Kind::script, task.script);
  if (task.lend) send(Kind::lend);
  if (!task.known_hosts.empty()) send(Kind::known_hosts, task.known_hosts);
  for (const auto& [name, fingerprint] : task.fingerprints) send(Kind::fingerprint, name + " " + fingerprint);
  for (const auto& path : task.volumes) send(Kind::volume, path);
  if (!task.certificates.empty()) send(Kind::certificates, task.certificates);
  for (const auto& name : task.caches) send(Kind::cache, name);
  if (task.look_at_caches) send(Kind::look_at_caches);
  if (task.syslog) send(Kind::syslog);
  sending_tar = true;
}

void RelaySession::Inside::send_more_tar(const RelayTask& task) {
  Bytes piece(wire::most_payload);
  while (sending_tar && queue.size() - queue_at < most_queued) {
    ssize_t n = 0;
    if (task.tar >= 0) {
      while ((n = ::pread(task.tar, piece.data(), piece.size(), static_cast<off_t>(tar_at))) < 0 && errno == EINTR) {
      }
      if (n < 0) throw system_error("reading the context", errno);
    } else if (tar_at == 0) {
      n = 1024;  // an empty archive
    }
    if (n == 0) {
      sending_tar = false;
      send(Kind::run);
      return;
    }
    tar_at += static_cast<std::uint64_t>(n);
    send(Kind::tar, View(piece.data(), static_cast<std::size_t>(n)));
  }
}

// A broken connection is noted, not thrown: what the relay said last tells more, and is read all the same.
void RelaySession::Inside::write_some() try {
  while (program_at < program.size()) {
    const std::size_t n = stream.write(program.subspan(program_at));
    if (n == 0) return;
    program_at += n;
  }
  while (queue_at < queue.size()) {
    const std::size_t n = stream.write(View(queue).subspan(queue_at));
    if (n == 0) break;
    queue_at += n;
  }
  if (queue_at == queue.size() || queue_at >= most_queued) forget_sent();
} catch (const Error& error) {
  broken = error.what();
}

// A piece at a time: a script that prints without end must not keep the loop from all else.
RelaySession::Inside::Read RelaySession::Inside::read_some(const RelayTask& task, const RelayEvents& events) {
  Bytes piece(65536);
  for (int i = 0; i < 16; ++i) {
    std::optional<std::size_t> n = 0;
    try {
      n = stream.read(piece);
    } catch (const Error& error) {
      broken = error.what();
    }
    if (!n) return Read::all;
    if (*n == 0) return Read::end;
    frames.feed(View(piece).first(*n));
    while (const auto frame = frames.next()) act(*frame, task, events);
    if (frames.over()) return Read::all;
  }
  return Read::some;
}

void RelaySession::Inside::act(const RelayFrame& frame, const RelayTask& task, const RelayEvents& events) {
  const std::string_view text = text_of(frame.payload);
  switch (frame.kind) {
    case Kind::hello:
      greeted = true;
      begin(task);
      break;
    case Kind::running:
      started = Clock::now();
      break;
    case Kind::output:
      events.output(text);
      break;
    case Kind::errors:
      events.errors(text);
      break;
    case Kind::logged:
      if (!task.syslog) throw relay_disturbed();
      events.logged(text);
      break;
    case Kind::killed:
      result.killed.push_back(printable(text));
      break;
    case Kind::written:
      if (std::find(task.volumes.begin(), task.volumes.end(), text) == task.volumes.end()) throw relay_disturbed();
      result.written.emplace_back(text);
      break;
    case Kind::replaced:
      if (std::none_of(task.lent_files.begin(), task.lent_files.end(),
                       [&](const RelayTask::LentFile& file) { return file.place == text; }))
        throw relay_disturbed();
      result.replaced.emplace_back(text);
      break;
    case Kind::cached: {
      std::uint64_t size = 0;
      const auto [end, trouble] = std::from_chars(text.data(), text.data() + text.size(), size);
      const auto at = static_cast<std::size_t>(end - text.data());
      if (!task.look_at_caches || trouble != std::errc() || at + 1 >= text.size() || text[at] != ' ')
        throw relay_disturbed();
      events.cached(text.substr(at + 1), size);
      break;
    }
    case Kind::cached_bytes:
      if (!task.look_at_caches) throw relay_disturbed();
      events.cached_bytes(frame.payload);
      break;
    case Kind::cached_all:
      if (task.look_at_caches)
        for (const auto& name : events.cached_all()) send(Kind::purge, name);
      send(Kind::settled);
      break;
    case Kind::open:
      if (!task.lend || clients.has(frame.channel) || clients.count() >= wire::most_clients) throw relay_disturbed();
      clients.open(frame.channel, events.client());
      break;
    case Kind::data:
      if (!clients.take(frame.channel, frame.payload)) send(Kind::close, View(), frame.channel);
      break;
    case Kind::close:
      clients.close(frame.channel);
      break;
    case Kind::ended:
      result.status = static_cast<int>(wire::get_u32(frame.payload.data()));
      break;
    case Kind::failed:
      throw Error("the builder: " + printable(text));
    default:
      break;
  }
}

void RelaySession::Inside::wait() {
  const bool writing = program_at < program.size() || queue_at < queue.size();
  pollfd waits[] = {{stream.fd(), static_cast<short>(POLLIN | (writing ? POLLOUT : 0)), 0},
                    {clients.fd(), POLLIN, 0},
                    {interrupt::fd(), POLLIN, 0}};
  if (::poll(waits, 3, 200) < 0 && errno != EINTR) throw system_error("poll", errno);
}

RelaySession::RelaySession(Stream& stream, View program) : inside_(std::make_unique<Inside>(stream, program)) {}

RelaySession::~RelaySession() {
  if (inside_->queue.data() != nullptr) wipe(inside_->queue.data(), inside_->queue.size());
}

RelayResult RelaySession::run(const RelayTask& task, const RelayEvents& events) {
  Inside& in = *inside_;
  auto tick = Clock::now();
  while (!in.frames.over()) {
    interrupt::check();
    if (in.sending_tar) in.send_more_tar(task);
    in.write_some();
    const auto read = in.read_some(task, events);
    if (in.frames.over()) break;
    if (read == Inside::Read::end || !in.broken.empty()) {
      const std::string why = in.broken.empty() ? "" : ": " + in.broken;
      if (!in.greeted) throw RelayGone("the builder's relay did not start" + why);
      throw RelayGone("the builder's relay ended before the script did" + why, "was it killed, or out of memory?");
    }
    if (in.started && in.queue.size() - in.queue_at > most_unread_answers) throw relay_disturbed();
    for (const auto& answer : in.clients.answers()) {
      if (!answer.bytes.empty()) in.send(Kind::data, answer.bytes, answer.channel);
      if (answer.closed) in.send(Kind::close, View(), answer.channel);
    }
    const auto now = Clock::now();
    if (in.started && task.timeout > 0 && now - *in.started > std::chrono::duration<double>(task.timeout))
      throw Error("timeout: the script did not end in time", "--timeout gives it more");
    if (now - tick >= std::chrono::milliseconds(100)) {
      tick = now;
      if (events.quiet) events.quiet();
    }
    if (read == Inside::Read::all) in.wait();
  }
  in.clients.finish();
  return std::move(in.result);
}

}  // namespace imgbuild
