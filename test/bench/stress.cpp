// bench_stress [RULE]: what hostile files cost. A file that is one beginning again and again makes each of them a
// candidate, and none may cost more than its own bytes: for the examples of each rule, cut off at several lengths, and
// for some texts of ours, the time of N bytes and of 4 N. Prints what is slow, slowest first: bytes a second, and how
// much longer four times as much took (4: linear).
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "scan/rule.hpp"
#include "scan/scanner.hpp"

using namespace imgbuild;

namespace {

struct Cost {
  std::string what;
  double rate = 0, growth = 0;
};

double seconds_of(const Scanner& scanner, const std::string& text) {
  timespec begin{}, end{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
  Scan scan(scanner, "f", nullptr, nullptr);
  scan.feed(view_of(text));
  scan.finish();
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
  return static_cast<double>(end.tv_sec - begin.tv_sec) + static_cast<double>(end.tv_nsec - begin.tv_nsec) / 1e9;
}

std::string repeated(const std::string& text, std::size_t size) {
  std::string all;
  while (all.size() < size) all += text;
  return all;
}

Cost measured(const Scanner& scanner, std::string what, const std::string& text) {
  constexpr std::size_t size = std::size_t{16} << 10;
  const double small = seconds_of(scanner, repeated(text, size)), large = seconds_of(scanner, repeated(text, 4 * size));
  return {std::move(what), 4 * size / large / 1e6, large / small};
}

std::string without_marks(std::string text) {
  for (std::size_t at = text.find("{{}}"); at != std::string::npos; at = text.find("{{}}", at)) text.erase(at, 4);
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  const auto scanner = Scanner::builtin();
  std::vector<Cost> all;
  const auto add = [&](const std::string& name, const std::string& text) {
    if (!text.empty()) all.push_back(measured(*scanner, name, text));
  };
  for (const Rule& rule : scanner->rules()) {
    if (argc > 1 && rule.id != argv[1]) continue;
    for (const std::string& example : rule.leak) {
      const std::string text = without_marks(example);
      for (const std::size_t size : {16, 64}) {
        if (size < text.size() + 48) add(rule.id + " of " + std::to_string(size), text.substr(0, size));
      }
      const auto bytes = unbase64(text);  // rules of DER and the like have their examples so
      for (const std::size_t size : {16, 40})
        if (bytes && bytes->size() > size)
          add(rule.id + ", DER, of " + std::to_string(size), std::string(text_of(*bytes).substr(0, size)));
    }
  }
  for (const char* text :
       {"password=", "password:", "password: \"xK3;", "api_key = '", "<password>", "=\"password\">", "password=&quot;",
        "-----BEGIN+PRIVATE+KEY-----", "-----BEGIN RSA PRIVATE KEY-----\n", "-----BEGIN OPENSSH PRIVATE KEY----- ",
        "\"-----BEGIN PRIVATE KEY-----\", ", "https://user:pw@", "AAAA", "0x41, ", "\\u0041", "{\"a\":[", "%41"})
    if (argc == 1) add(printable(text), text);
  std::sort(all.begin(), all.end(), [](const Cost& a, const Cost& b) { return a.rate < b.rate; });
  for (std::size_t i = 0; i < std::min<std::size_t>(all.size(), 40); ++i)
    std::printf("%9.2f MB/s  x%-5.1f %s\n", all[i].rate, all[i].growth, all[i].what.c_str());
  return EXIT_SUCCESS;
}
