#pragma once
#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace imgbuild {

/// Work on many things at once whose results are wanted one after another. `produce(i)` runs on several threads,
/// `consume(i, result)` on the caller's, for i = 0, 1, 2...; so what comes out depends on no timing, the first failure
/// included: what produce(i) throws is thrown when i's turn comes. `weight(i)`: bytes that i's result holds; together
/// no more than about `most` are held at a time.
template <class Weight, class Produce, class Consume>
void in_order(std::size_t count, std::uint64_t most, const Weight& weight, const Produce& produce,
              const Consume& consume) {
  using Result = decltype(produce(std::size_t{0}));
  struct Slot {
    Result result;
    std::exception_ptr thrown;
  };
  std::mutex mutex;
  std::condition_variable room, ready;
  std::map<std::size_t, Slot> done;
  std::size_t next = 0;
  std::uint64_t held = 0;
  bool stop = false;

  const auto work = [&] {
    for (;;) {
      std::size_t mine = 0;
      {
        std::unique_lock lock(mutex);
        // When all that was taken has been consumed nothing is held: the thing waited for is never kept from being
        // taken.
        room.wait(lock, [&] { return stop || next == count || held == 0 || held + weight(next) <= most; });
        if (stop || next == count) return;
        mine = next++;
        held += weight(mine);
      }
      Slot slot;
      try {
        slot.result = produce(mine);
      } catch (...) {
        slot.thrown = std::current_exception();
      }
      const std::lock_guard lock(mutex);
      done.emplace(mine, std::move(slot));
      ready.notify_one();
    }
  };

  struct Workers {
    std::vector<std::thread> threads;
    std::mutex& mutex;
    std::condition_variable& room;
    bool& stop;
    ~Workers() {
      {
        const std::lock_guard lock(mutex);
        stop = true;
      }
      room.notify_all();
      for (auto& thread : threads) thread.join();
    }
  } workers{{}, mutex, room, stop};
  const std::size_t threads = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 2, 16);
  for (std::size_t i = 0; i < std::min(threads, count); ++i) workers.threads.emplace_back(work);

  for (std::size_t i = 0; i < count; ++i) {
    std::unique_lock lock(mutex);
    ready.wait(lock, [&] { return done.contains(i); });
    Slot slot = std::move(done.extract(i).mapped());
    lock.unlock();
    if (slot.thrown) std::rethrow_exception(slot.thrown);
    consume(i, std::move(slot.result));
    lock.lock();
    held -= weight(i);
    room.notify_all();
  }
}

}  // namespace imgbuild
