#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "base/fd.hpp"
#include "relay/session.hpp"

namespace imgbuild {

/// The clients of the agent socket, each answered on a thread of its own. All methods on the session's thread.
class RelayClients {
 public:
  RelayClients();
  /// Waits for the answers under way.
  ~RelayClients();

  void open(std::uint32_t channel, AgentAnswer answer);
  /// Bytes that a client sent. False: it sent more than its answers can keep up with, and is closed.
  bool take(std::uint32_t channel, View bytes);
  void close(std::uint32_t channel);
  bool has(std::uint32_t channel) const { return clients_.contains(channel); }
  std::size_t count() const { return clients_.size(); }

  struct Answer {
    std::uint32_t channel;
    Bytes bytes;
    bool closed;  ///< the client is to be dropped
  };
  /// Readable when answers are there.
  int fd() const { return ready_.get(); }
  std::vector<Answer> answers();
  /// No more input for any of them; waits until all are done.
  void finish();

 private:
  struct Client;
  Fd ready_;
  std::map<std::uint32_t, std::unique_ptr<Client>> clients_;
  std::vector<std::unique_ptr<Client>> leaving_;  // closed, but an answer may be under way
};

}  // namespace imgbuild
