#include "audit/pool.hpp"

#include <algorithm>
#include <utility>

namespace imgbuild {

Pool::Pool(unsigned threads, std::size_t most_bytes) : most_bytes_(most_bytes) {
  for (unsigned i = 0; i < std::max(threads, 1U); ++i) threads_.emplace_back([this] { work(); });
}

Pool::~Pool() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
    queue_.clear();
  }
  came_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void Pool::submit(std::size_t bytes, std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (bytes_ == 0 || bytes_ + bytes <= most_bytes_) {
      bytes_ += bytes;
      queue_.push_back({bytes, std::move(task)});
      came_.notify_one();
      return;
    }
  }
  task();
}

void Pool::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    came_.wait(lock, [this] { return over_ || !queue_.empty(); });
    if (over_) return;
    Task task = std::move(queue_.front());
    queue_.pop_front();
    ++under_way_;
    lock.unlock();
    std::exception_ptr failure;
    try {
      task.run();
    } catch (...) {
      failure = std::current_exception();
    }
    task.run = nullptr;  // its memory goes before it counts as done
    lock.lock();
    if (failure && !failure_) failure_ = failure;
    --under_way_;
    bytes_ -= task.bytes;
    if (queue_.empty() && under_way_ == 0) done_.notify_all();
  }
}

void Pool::drain() {
  std::unique_lock lock(mutex_);
  done_.wait(lock, [this] { return queue_.empty() && under_way_ == 0; });
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void Pool::abandon() noexcept {
  std::unique_lock lock(mutex_);
  for (const Task& task : queue_) bytes_ -= task.bytes;
  const auto dropped = std::exchange(queue_, {});
  done_.wait(lock, [this] { return queue_.empty() && under_way_ == 0; });
  failure_ = nullptr;
}

Hashing::~Hashing() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    queue_.clear();
    ended_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Hashing::feed(const Piece& piece) {
  fed_ += piece.bytes.size();
  if (fed_ <= long_stream) {
    sha_.update(piece.bytes);
    return;
  }
  if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_ < most_waiting; });
  waiting_ += piece.bytes.size();
  queue_.push_back(piece);
  changed_.notify_all();
}

void Hashing::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ended_ || !queue_.empty(); });
    if (queue_.empty()) return;
    Piece piece = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    sha_.update(piece.bytes);
    piece.owner.reset();
    lock.lock();
    waiting_ -= piece.bytes.size();
    changed_.notify_all();
  }
}

std::string Hashing::finish() {
  if (thread_.joinable()) {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  return sha_.finish_digest();
}

}  // namespace imgbuild
