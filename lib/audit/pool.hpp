#pragma once
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "audit/piece.hpp"
#include "crypto/digest.hpp"

namespace imgbuild {

/// The threads that look. Work waits in a queue that is bounded by the bytes it holds; where it is full, whoever brings
/// more does that work himself: nobody waits, so nobody can wait for ever, and memory stays bounded.
class Pool {
 public:
  Pool(unsigned threads, std::size_t most_bytes);
  /// Drops what has not begun, and waits for what has.
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// Any thread, a task's own included.
  void submit(std::size_t bytes, std::function<void()> task);
  /// Waits until nothing is left to do; throws the first thing that a task threw. Not from a task.
  void drain();
  /// Drops what has not begun, waits for what has, and forgets what it threw. Not from a task.
  void abandon() noexcept;

 private:
  struct Task {
    std::size_t bytes;
    std::function<void()> run;
  };
  void work();

  const std::size_t most_bytes_;
  std::mutex mutex_;
  std::condition_variable came_, done_;
  std::deque<Task> queue_;
  std::size_t bytes_ = 0;  ///< in the queue and under way
  std::size_t under_way_ = 0;
  bool over_ = false;
  std::exception_ptr failure_;
  std::vector<std::thread> threads_;
};

/// SHA-256 of a stream on a thread of its own, which starts when the stream turns out to be long. The pieces' memory
/// must last (stable or owned). One thread feeds.
class Hashing {
 public:
  Hashing() = default;
  ~Hashing();
  Hashing(const Hashing&) = delete;
  Hashing& operator=(const Hashing&) = delete;
  void feed(const Piece& piece);
  std::string finish();  ///< "sha256:..."; once

 private:
  void work();
  static constexpr std::size_t long_stream = std::size_t{4} << 20;
  static constexpr std::size_t most_waiting = std::size_t{4} << 20;

  Sha256 sha_;
  std::uint64_t fed_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Piece> queue_;
  std::size_t waiting_ = 0;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace imgbuild
