// BuildKit's progress: taken apart, told, and redacted.
#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "buildkit/progress.hpp"
#include "buildkit/protobuf.hpp"

using namespace imgbuild;

namespace {

Bytes time_of(std::uint64_t seconds, std::uint64_t nanoseconds) {
  Bytes time;
  put_field(time, 1, seconds);
  put_field(time, 2, nanoseconds);
  return time;
}

Bytes vertex(const std::string& digest, const std::string& name, std::uint64_t began, std::uint64_t ended,
             bool cached = false, const std::string& error = "") {
  Bytes made, all;
  put_field(made, 1, view_of(digest));
  put_field(made, 2, view_of("an input"));
  put_field(made, 3, view_of(name));
  if (cached) put_field(made, 4, std::uint64_t{1});
  if (began > 0) put_field(made, 5, time_of(began, 0));
  if (ended > 0) put_field(made, 6, time_of(ended, 500000000));
  if (!error.empty()) put_field(made, 7, view_of(error));
  put_field(all, 1, made);
  return all;
}

Bytes log(const std::string& digest, std::uint64_t time, const std::string& text, std::uint64_t stream = 1) {
  Bytes made, all;
  put_field(made, 1, view_of(digest));
  put_field(made, 2, time_of(time, 250000000));
  put_field(made, 3, stream);
  put_field(made, 4, view_of(text));
  put_field(all, 3, made);
  return all;
}

struct Shown {
  Shown() : progress(Scanner::builtin(), vault, [this](std::string_view text) { all += text; }) {}
  void feed(const Bytes& message) { progress.feed(parse_trace(message)); }
  Vault vault;
  std::string all;
  Progress progress;
};

}  // namespace

TEST_CASE("a step is told when it begins, what it prints by line, and how it ended") {
  Shown shown;
  shown.feed(vertex("sha256:a", "[1/2] FROM base", 0, 0));
  CHECK(shown.all.empty());
  shown.feed(vertex("sha256:a", "[1/2] FROM base", 0, 0, true));
  shown.feed(vertex("sha256:b", "[2/2] RUN make", 100, 0));
  shown.feed(log("sha256:b", 100, "cc -o"));
  shown.feed(log("sha256:b", 101, " app\n50%\r100%\nlast"));
  shown.feed(vertex("sha256:b", "[2/2] RUN make", 100, 102));
  shown.progress.finish();
  CHECK(shown.all ==
        "#1 [1/2] FROM base\n#1 CACHED\n\n#2 [2/2] RUN make\n#2 1.250 cc -o app\n#2 1.250 100%\n#2 1.250 last\n"
        "#2 DONE 2.5s\n");
}

TEST_CASE("two steps that speak in turn are told apart") {
  Shown shown;
  shown.feed(vertex("a", "RUN a", 100, 0));
  shown.feed(vertex("b", "RUN b", 100, 0));
  shown.feed(log("a", 100, "one\n"));
  shown.feed(log("b", 100, "two\n"));
  CHECK(shown.all == "#1 RUN a\n\n#2 RUN b\n\n#1 RUN a\n#1 0.250 one\n\n#2 RUN b\n#2 0.250 two\n");
}

TEST_CASE("no byte of a known value is told: not in output however it is cut, not in a name, not in an error") {
  const std::string value = "Zk9-quite-Xsecret-4471";
  Shown shown;
  shown.vault.add(value, "secret npm", Origin::handed_out);
  shown.feed(vertex("a", "RUN login " + value, 100, 0));
  for (const char c : "the word is " + value + "\n") shown.feed(log("a", 100, std::string(1, c), 2));
  shown.feed(vertex("a", "RUN login", 100, 101, false, "failed: " + value));
  shown.progress.finish();
  CHECK(shown.all.find(value) == std::string::npos);
  CHECK(shown.all.find("[redacted: secret npm]") != std::string::npos);
  CHECK(shown.all.find("ERROR: failed: ") != std::string::npos);
}

TEST_CASE("what a step prints does not move the cursor") {
  Shown shown;
  shown.feed(vertex("a", "RUN \x1B[2Jx", 100, 0));
  shown.feed(log("a", 100, "\x1B[31mred\x07\n"));
  CHECK(shown.all == "#1 RUN [2Jx\n#1 0.250 [31mred\n");
}

TEST_CASE("a message that is cut, or none, is an error; unknown fields are passed over") {
  const Bytes whole = vertex("a", "RUN x", 100, 101);
  for (std::size_t n = 1; n < whole.size(); ++n) CHECK_THROWS_AS(parse_trace(View(whole).first(n)), Error);
  CHECK_THROWS_AS(parse_trace(view_of("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF")), Error);
  Bytes odd;
  put_field(odd, 99, view_of("new"));
  put_field(odd, 98, std::uint64_t{7});
  CHECK(parse_trace(odd).vertexes.empty());
}

TEST_CASE("what happens to each step is told beside the text") {
  const Vault vault;
  std::vector<BuildStep> told;
  std::string text;
  Progress progress(
      Scanner::builtin(), vault, [&](std::string_view piece) { text += piece; },
      [&](const BuildStep& step) { told.push_back(step); });
  using State = BuildStep::State;
  progress.feed(parse_trace(vertex("a", "FROM base", 0, 0, true)));
  progress.feed(parse_trace(vertex("b", "RUN make", 100, 0)));
  progress.feed(parse_trace(log("b", 101, "one\ntwo\n")));
  progress.feed(parse_trace(vertex("b", "RUN make", 100, 102)));
  progress.feed(parse_trace(vertex("c", "RUN no", 100, 0)));
  progress.feed(parse_trace(vertex("c", "RUN no", 100, 102, false, "exit 1")));
  const auto is = [&](std::size_t i, int number, State state, const std::string& line) {
    REQUIRE(i < told.size());
    CHECK(told[i].number == number);
    CHECK(told[i].state == state);
    CHECK(told[i].line == line);
  };
  is(0, 1, State::running, "");
  is(1, 1, State::cached, "");
  is(2, 2, State::running, "");
  is(3, 2, State::running, "one");
  is(4, 2, State::running, "two");
  is(5, 2, State::done, "");
  CHECK(told[5].name == "RUN make");
  CHECK(told[5].seconds == 2.5);
  is(6, 3, State::running, "");
  is(7, 3, State::failed, "exit 1");
  CHECK(told.size() == 8);
  CHECK_FALSE(text.empty());
}
