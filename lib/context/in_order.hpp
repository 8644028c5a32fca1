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
  // What is light is taken several at a time: to wait for each other would take longer than the work.
  constexpr std::size_t most_taken = 64;
  constexpr std::uint64_t light = std::uint64_t{256} << 10;
  using Result = decltype(produce(std::size_t{0}));
  struct Slot {
    Result result;
    std::exception_ptr thrown;
  };
  std::mutex mutex;
  std::condition_variable room, ready;
  std::map<std::size_t, std::vector<Slot>> done;  // by the first one's number
  std::size_t next = 0;
  std::uint64_t held = 0;
  bool stop = false;

  const auto work = [&] {
    for (;;) {
      std::size_t mine = 0, end = 0;
      {
        std::unique_lock lock(mutex);
        // When all that was taken has been consumed nothing is held: the thing waited for is never kept from being
        // taken.
        room.wait(lock, [&] { return stop || next == count || held == 0 || held + weight(next) <= most; });
        if (stop || next == count) return;
        mine = end = next;
        std::uint64_t taken = weight(end++);
        while (end < count && end - mine < most_taken && taken + weight(end) <= light) taken += weight(end++);
        next = end;
        held += taken;
      }
      std::vector<Slot> slots(end - mine);
      for (std::size_t i = mine; i < end; ++i) try {
          slots[i - mine].result = produce(i);
        } catch (...) {
          slots[i - mine].thrown = std::current_exception();
        }
      const std::lock_guard lock(mutex);
      done.emplace(mine, std::move(slots));
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

  for (std::size_t i = 0; i < count;) {
    std::unique_lock lock(mutex);
    ready.wait(lock, [&] { return done.contains(i); });
    std::vector<Slot> slots = std::move(done.extract(i).mapped());
    lock.unlock();
    std::uint64_t consumed = 0;
    for (Slot& slot : slots) {
      if (slot.thrown) std::rethrow_exception(slot.thrown);
      consume(i, std::move(slot.result));
      consumed += weight(i++);
    }
    lock.lock();
    held -= consumed;
    room.notify_all();
  }
}

}  // namespace imgbuild
