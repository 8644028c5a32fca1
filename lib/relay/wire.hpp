#pragma once
#include <cstddef>
#include <cstdint>

/// The conversation between the driver (session.cpp) and its relay in the builder (guest/). Both directions are a
/// sequence of frames: u32 length of what follows (big-endian), u8 kind, u32 channel, payload. The driver says hello
/// by sending the program; the relay answers `hello` before anything else is sent (a `head -c` that reads ahead must
/// have nothing to eat). Then settings, `run`, and from `running` on both sides talk as things happen, until `ended`
/// or `failed`. A side that cannot make sense of the other gives up.
namespace imgbuild::wire {

inline constexpr std::size_t header_size = 9;
inline constexpr std::size_t most_payload = std::size_t{256} << 10;
inline constexpr std::uint32_t most_clients = 64;                 ///< of the agent socket, at once
inline constexpr std::size_t most_unread = std::size_t{1} << 20;  ///< bytes held for a client that does not read
inline constexpr std::size_t most_killed = 1000;                  ///< processes that are named
inline constexpr char version[] = "imgbuild relay 1";

enum class Kind : std::uint8_t {
  // To the relay, before `run`. A payload is the text itself, without a closing zero.
  home = 1,        ///< the folder of ours in the builder; the program lies there
  context,         ///< the folder that the context goes to
  accounts,        ///< the folder of passwd and group
  container,       ///< no payload: every process of the pid namespace is ended after the script, not its offspring only
  user,            ///< "", NAME, UID, NAME:GROUP, UID:GID
  workdir,         ///< where the script starts; relative to the context
  base_env,        ///< K=V of the base's config; below what the relay sets
  env,             ///< K=V of the user; above it
  argument,        ///< of the command; none: the script
  script,          ///< bytes of the script, in pieces
  lend,            ///< no payload: there is an agent to be had
  known_hosts,     ///< bytes of the pinned known_hosts, in pieces
  fingerprint,     ///< "NAME SHA256:..." of a host that only a fingerprint is known of
  secret,          ///< the id of the next secret
  secret_bytes,    ///< its bytes, in pieces
  volume,          ///< a path that the base declares as VOLUME
  certificates,    ///< bytes of certificate authorities in PEM, in pieces
  cache,           ///< the name of a folder under cache/ that outlives the builder
  look_at_caches,  ///< no payload: what the script changes in them is to be shown
  syslog,          ///< no payload: what the script writes to /dev/log is wanted
  lent_file,       ///< "MODE PLACE" (octal) of the next file that is lent, and does not ship
  lent_bytes,      ///< its bytes, in pieces
  tar,             ///< bytes of the context, in pieces
  wanted,  ///< instead of all this: a path, what is there is to be told as a tar, in `output`; status 1: nothing
  within,  ///< a path on whose file system that may lie
  run,
  // To a relay that serves files: no `run`, no end but the input's.
  folder,  ///< an absolute path; what is fetched from here on lies below it
  fetch,   ///< the path of a file, whose links lead where they lead in a root of that folder's own
  // To the relay, once it has said `cached_all`.
  purge,    ///< the name of a cache that is to be emptied
  settled,  ///< no payload
  // To the driver.
  hello = 64,    ///< `version`
  running,       ///< the script is about to be started
  output,        ///< bytes of its standard output
  errors,        ///< bytes of its standard error
  killed,        ///< "PID NAME" of a process that it left behind
  written,       ///< a volume whose content changed
  cached,        ///< "SIZE CACHE/PATH" of something that is new in a cache; its bytes follow, of a link its target
  cached_bytes,  ///< in pieces
  cached_all,    ///< no payload: that was all of it, and an answer is waited for
  ended,         ///< u32: its exit status, or 128 + signal; the last frame, and nothing runs any more
  failed,        ///< why the relay gives up; the last frame
  logged,        ///< a message that the script wrote to /dev/log
  replaced,      ///< the place of a lent file where the script put something of its own, which went
  fetched,       ///< u64, big-endian: the size of what was asked for; so many bytes follow in `output`
  not_fetched,   ///< why it cannot be had
  // Both ways, by channel: a client of the agent socket.
  open = 128,  ///< to the driver only
  data,
  close,
};

inline void put_u32(std::uint8_t* at, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) at[i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
}

inline std::uint32_t get_u32(const std::uint8_t* at) {
  return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 | at[3];
}

/// Writes a frame's header, header_size bytes.
inline void put_header(std::uint8_t* at, Kind kind, std::uint32_t channel, std::size_t payload) {
  put_u32(at, static_cast<std::uint32_t>(payload + header_size - 4));
  at[4] = static_cast<std::uint8_t>(kind);
  put_u32(at + 5, channel);
}

/// The payload's length by its header, or most_payload + 1 where the header makes no sense.
inline std::size_t payload_length(const std::uint8_t* header) {
  const std::size_t length = get_u32(header);
  if (length < header_size - 4 || length - (header_size - 4) > most_payload) return most_payload + 1;
  return length - (header_size - 4);
}

}  // namespace imgbuild::wire
