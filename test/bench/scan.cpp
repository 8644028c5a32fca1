// bench_scan FILE...: how fast the scanner is over files, and where its time goes. One thread, files mapped; each is
// gone over once before, so that the disk is not measured.
#include <fcntl.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <map>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "crypto/digest.hpp"
#include "scan/inside.hpp"
#include "scan/lines.hpp"
#include "scan/runs.hpp"
#include "scan/scanner.hpp"

using namespace imgbuild;

namespace {

// Processor time of this thread: a machine that does something else meanwhile does not count.
double now() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

template <class Work>
void measure(const char* what, std::uint64_t bytes, Work&& work) {
  const double begin = now();
  const std::uint64_t result = work();
  const double seconds = now() - begin;
  std::printf("%-34s %8.0f MB/s  %9.3f s  %12llu\n", what, static_cast<double>(bytes) / 1e6 / seconds, seconds,
              static_cast<unsigned long long>(result));
}

constexpr std::size_t step = std::size_t{1} << 20;

std::uint64_t first_stage(const Scanner::Inside& inside, const std::vector<Mapping>& files,
                          std::vector<std::uint64_t>& hits) {
  std::uint64_t all = 0;
  std::vector<Words::Found> found;
  for (const auto& file : files)
    for (std::size_t at = 0; at < file.bytes().size(); at += step) {
      found.clear();
      inside.words.find(file.bytes(), at, at + step, found);
      for (const auto& one : found) ++hits[one.word];
      all += found.size();
    }
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    std::vector<Mapping> files;
    std::uint64_t bytes = 0;
    for (int i = 1; i < argc; ++i) {
      files.emplace_back(Fd::open(argv[i], O_RDONLY), argv[i]);
      bytes += files.back().bytes().size();
    }
    const auto each = [&](auto&& work) {
      std::uint64_t sum = 0;
      for (const auto& file : files) sum += work(file.bytes());
      return sum;
    };
    const double start = now();
    const auto scanner = Scanner::builtin();
    std::printf("%zu rules, start %.1f ms\n", scanner->rules().size(), (now() - start) * 1e3);
    measure("touch (lines)", bytes, [&] { return each([](View v) { return count_lines(v); }); });
    measure("lines", bytes, [&] { return each([](View v) { return count_lines(v); }); });
    measure("sha256", bytes, [&] { return each([](View v) { return std::uint64_t{sha256(v)[0]}; }); });
    std::vector<std::uint64_t> counts(scanner->inside().plan.words.size());
    measure("first stage, bare", bytes, [&] { return first_stage(scanner->inside(), files, counts); });
    measure("decoding alone (decoded bytes)", bytes, [&] {
      return each([](View v) {
        std::uint64_t decoded = 0;
        decode_runs(v, 0, 0, v.size(), [&](DecodedRun& run, OwnedRange) { decoded += run.bytes.size(); });
        return decoded;
      });
    });
    measure("scan (hits)", bytes, [&] { return each([&](View v) { return scanner->scan(v, {}).size(); }); });
    std::map<std::string, std::size_t> by_rule;
    measure("Scan in 128 KiB pieces (hits)", bytes, [&] {
      return each([&](View v) {
        Scan scan(*scanner, "", nullptr, nullptr);
        for (; !v.empty(); v = v.subspan(std::min<std::size_t>(v.size(), 131072)))
          scan.feed(v.first(std::min<std::size_t>(v.size(), 131072)));
        const auto hits = scan.finish();
        for (const auto& hit : hits) ++by_rule[hit.rule->id];
        return hits.size();
      });
    });
    std::vector<std::pair<std::uint64_t, std::string>> busy;
    for (std::size_t i = 0; i < counts.size(); ++i)
      busy.emplace_back(counts[i], text_of(scanner->inside().plan.words[i]));
    std::sort(busy.rbegin(), busy.rend());
    for (std::size_t i = 0; i < std::min<std::size_t>(25, busy.size()); ++i)
      std::printf("%12llu  %s\n", static_cast<unsigned long long>(busy[i].first), busy[i].second.c_str());
    for (const auto& [rule, count] : by_rule) std::printf("%12zu  %s\n", count, rule.c_str());
    return 0;
  } catch (const Error& e) {
    std::fprintf(stderr, "bench_scan: %s\n", e.what());
    return 1;
  }
}
