#include "http/client.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <chrono>

#include "base/interrupt.hpp"
#include "base/process.hpp"
#include "scripted_server.hpp"

using namespace imgbuild;
using Catch::Contains;

namespace {

std::string drain(Source& source) {
  std::string all;
  for (View piece = source.next(); !piece.empty(); piece = source.next()) all += text_of(piece);
  return all;
}

std::string read_to_end(Stream& stream, std::size_t wanted) {
  std::string all;
  std::uint8_t piece[7];
  while (all.size() < wanted) {
    const auto n = stream.read(piece);
    if (!n) {
      pollfd waits = {stream.fd(), POLLIN, 0};
      if (::poll(&waits, 1, 5000) <= 0) break;
      continue;
    }
    if (*n == 0) break;
    all += text_of({piece, *n});
  }
  return all;
}

// Answers in pieces, so that a body can be followed while it comes.
class Pieces : public Source {
 public:
  explicit Pieces(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {}
  View next() override { return at_ < pieces_.size() ? view_of(pieces_[at_++]) : View{}; }

 private:
  std::vector<std::string> pieces_;
  std::size_t at_ = 0;
};

class Broken : public Source {
 public:
  View next() override { throw Error("context: file changed while it was read"); }
};

}  // namespace

TEST_CASE("an answer has its status, its headers in lower case and its body") {
  ScriptedServer server([](const std::string&) { return ScriptedServer::plain(404, "not here", "X-Thing: a  \r\n"); });
  HttpClient client(server.endpoint());
  const HttpAnswer answer = client.request({.method = "GET", .target = "/images/a%20b/json?x=1"});
  CHECK(answer.status == 404);
  CHECK(answer.headers.at("x-thing") == "a");
  CHECK(answer.body == "not here");
  CHECK(server.seen() == std::vector<std::string>{"GET /images/a%20b/json?x=1"});
}

TEST_CASE("a body is sent with its length, and no header that nobody asked for") {
  ScriptedServer server([](const std::string&) { return ScriptedServer::plain(201, "{}"); });
  HttpClient client(server.endpoint());
  client.request({.method = "POST", .target = "/commit", .headers = {"Content-Type: application/json"}, .body = "{}"});
  client.request({.method = "POST", .target = "/start"});
  const auto requests = server.requests();
  CHECK_THAT(requests[0], Contains("Content-Length: 2\r\n") && Contains("application/json") && Catch::EndsWith("{}"));
  CHECK_THAT(requests[1], Contains("Content-Length: 0\r\n") && !Contains("Content-Type") && !Contains("Expect"));
}

TEST_CASE("an upload is sent as its source gives it") {
  ScriptedServer server([](const std::string&) { return ScriptedServer::plain(200, ""); });
  HttpClient client(server.endpoint());
  Pieces pieces({"first,", std::string(300000, 'x'), ",last"});
  client.request({.method = "POST", .target = "/images/load", .upload = &pieces});
  const std::string request = server.requests().at(0);
  CHECK_THAT(request, Contains("Transfer-Encoding: chunked") && Contains("first,") && Contains(",last\r\n0\r\n\r\n"));
  CHECK(request.size() > 300000);
}

TEST_CASE("a failure of an upload's source reaches the caller as it was thrown") {
  ScriptedServer server([](const std::string&) { return ScriptedServer::plain(200, ""); });
  HttpClient client(server.endpoint());
  Broken broken;
  CHECK_THROWS_WITH(client.request({.method = "POST", .target = "/", .upload = &broken}),
                    "context: file changed while it was read");
}

TEST_CASE("a chunked body is joined, and its trailers are no headers") {
  ScriptedServer server([](const std::string&) {
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\nX-Late: "
           "1\r\n\r\n";
  });
  const HttpAnswer answer = HttpClient(server.endpoint()).request({.target = "/"});
  CHECK(answer.body == "hello world");
  CHECK(answer.headers.count("x-late") == 0);
}

TEST_CASE("a body that ends early is an error, not a shorter body") {
  for (const char* answer : {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfour",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nfour"}) {
    ScriptedServer server([=](const std::string&) { return answer; });
    HttpClient client(server.endpoint());
    CHECK_THROWS_AS(client.request({.target = "/"}), Error);
    CHECK_THROWS_AS(drain(*client.open({.target = "/"})), Error);
  }
}

TEST_CASE("answers are bounded: their heads always, their bodies where they are kept") {
  ScriptedServer long_head([](const std::string&) {
    return "HTTP/1.1 200 OK\r\nX: " + std::string(70000, 'x') + "\r\nContent-Length: 0\r\n\r\n";
  });
  CHECK_THROWS_WITH(HttpClient(long_head.endpoint()).request({.target = "/"}), Contains("head"));
  CHECK_THROWS_WITH(HttpClient(long_head.endpoint()).hijack({.method = "POST", .target = "/"}), Contains("head"));
  ScriptedServer long_body([](const std::string&) { return ScriptedServer::plain(200, std::string(5000, 'x')); });
  CHECK_THROWS_WITH(HttpClient(long_body.endpoint()).request({.target = "/"}, 4096), Contains("longer than 4096"));
}

TEST_CASE("what is not HTTP is refused") {
  ScriptedServer server([](const std::string&) { return "SSH-2.0-OpenSSH_9.2\r\n"; });
  CHECK_THROWS_AS(HttpClient(server.endpoint()).request({.target = "/"}), Error);
  ScriptedServer other([](const std::string&) { return "SSH-2.0-OpenSSH_9.2\r\n\r\n"; });
  CHECK_THROWS_WITH(HttpClient(other.endpoint()).hijack({.method = "POST", .target = "/"}), Contains("not HTTP"));
}

TEST_CASE("a streamed body is the same whatever its size, and does not pile up in memory") {
  std::string sent(std::size_t{48} << 20, 'a');
  for (std::size_t i = 0; i < sent.size(); i += 4093) sent[i] = static_cast<char>('a' + i % 23);
  ScriptedServer server([&](const std::string&) { return ScriptedServer::plain(200, sent); });
  HttpClient client(server.endpoint());
  const auto body = client.open({.target = "/images/x/get"});
  CHECK(body->head().status == 200);
  std::size_t at = 0, largest = 0;
  for (View piece = body->next(); !piece.empty(); piece = body->next()) {
    REQUIRE(at + piece.size() <= sent.size());
    REQUIRE(text_of(piece) == std::string_view(sent).substr(at, piece.size()));
    at += piece.size();
    largest = std::max(largest, piece.size());
  }
  CHECK(at == sent.size());
  CHECK(largest <= std::size_t{2} << 20);
  CHECK(body->next().empty());
}

TEST_CASE("what came of a body before the connection was lost is had, then the loss") {
  for (int round = 0; round < 20; ++round) {
    ScriptedServer server(
        [](const std::string&) { return "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + std::string(1000, 'x'); });
    HttpClient client(server.endpoint());
    const auto body = client.open({.target = "/blob"});
    std::size_t got = 0;
    while (got < 1000) {
      const View piece = body->next();
      REQUIRE_FALSE(piece.empty());
      got += piece.size();
    }
    CHECK_THROWS_WITH(body->next(), Contains("the connection ended before the answer did"));
  }
}

TEST_CASE("a hijacked connection keeps the bytes that came with the head, then goes both ways") {
  ScriptedServer server(
      [](const std::string&) { return "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nearly "; });
  HttpClient client(server.endpoint());
  const Hijacked hijacked = client.hijack({.method = "POST", .target = "/exec/1/start", .body = "{}"});
  REQUIRE(hijacked.answer.status == 101);
  REQUIRE(hijacked.stream);
  CHECK(hijacked.stream->write(view_of("and late")) == 8);
  CHECK(read_to_end(*hijacked.stream, 14) == "early and late");
  CHECK_THAT(server.requests().at(0), Contains("Upgrade: tcp\r\n"));
}

TEST_CASE("a refused hijack tells what the server said, by length or by chunks") {
  for (const char* answer :
       {"HTTP/1.1 409 Conflict\r\nContent-Length: 7\r\n\r\nstoppedXXX",
        "HTTP/1.1 409 Conflict\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nstop\r\n3\r\nped\r\n0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 409 Conflict\r\n\r\nstopped"}) {
    ScriptedServer server([=](const std::string&) { return answer; });
    const Hijacked hijacked = HttpClient(server.endpoint()).hijack({.method = "POST", .target = "/"});
    CHECK(hijacked.answer.status == 409);
    CHECK(hijacked.answer.body == "stopped");
    CHECK(!hijacked.stream);
  }
}

TEST_CASE("a socket whose path is longer than sockaddr_un is reached all the same") {
  TempDir dir;
  std::string folder = dir.path();
  for (int i = 0; i < 6; ++i) {
    folder += "/a-folder-with-a-long-name-" + std::to_string(i);
    REQUIRE(::mkdir(folder.c_str(), 0700) == 0);
  }
  ScriptedServer server([](const std::string&) { return ScriptedServer::plain(200, "far"); }, folder);
  CHECK(server.endpoint().socket.size() > 108);
  CHECK(HttpClient(server.endpoint()).request({.target = "/"}).body == "far");
}

TEST_CASE("a server that is not there is Unreachable, with the reason's number") {
  TempDir dir;
  HttpEndpoint nowhere;
  nowhere.socket = dir.path() + "/none";
  try {
    HttpClient(nowhere).request({.target = "/"});
    FAIL("reached");
  } catch (const Unreachable& error) {
    CHECK(error.number() == ENOENT);
    CHECK_THAT(error.what(), Contains("/none: No such file or directory"));
  }
}

TEST_CASE("an interrupt ends a GET that hangs, lets a POST be answered, and does not hinder what begins after it") {
  // In a child: an interrupt stays pending for the life of a process.
  const pid_t child = ::fork();
  if (child == 0) {
    int failed = 0;
    interrupt::watch();
    {
      ScriptedServer slow([](const std::string& request) {
        ::usleep(request.starts_with("POST") ? 400'000 : 2'000'000);
        return ScriptedServer::plain(201, "done");
      });
      HttpClient client(slow.endpoint());
      std::thread killer([] {
        ::usleep(150'000);
        ::kill(::getpid(), SIGTERM);
      });
      if (client.request({.method = "POST", .target = "/commit"}).body != "done") failed |= 1;
      killer.join();
      if (interrupt::pending() != SIGTERM) failed |= 2;
      if (client.request({.method = "DELETE", .target = "/containers/1"}).body != "done") failed |= 4;
    }
    ::_exit(failed);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);

  const pid_t second = ::fork();
  if (second == 0) {
    interrupt::watch();
    ScriptedServer slow([](const std::string&) {
      ::usleep(1'500'000);
      return ScriptedServer::plain(200, "");
    });
    std::thread killer([] {
      ::usleep(150'000);
      ::kill(::getpid(), SIGINT);
    });
    const auto start = std::chrono::steady_clock::now();
    int failed = 1;
    try {
      HttpClient(slow.endpoint()).request({.target = "/"});
    } catch (const Interrupted& error) {
      const bool soon = std::chrono::steady_clock::now() - start < std::chrono::seconds(1);
      failed = soon && error.status() == Status::interrupted ? 0 : 2;
    }
    ::_exit(failed);
  }
  ::waitpid(second, &status, 0);
  CHECK(status == 0);
}

TEST_CASE("percent-encoding leaves only what a path may hold") {
  CHECK(percent_encode("a b/c?d#e%") == "a%20b%2Fc%3Fd%23e%25");
  CHECK(percent_encode("reg.example:5000/a/b@sha256:0", "/:@") == "reg.example:5000/a/b@sha256:0");
  CHECK(percent_encode("\r\nHost: evil") == "%0D%0AHost%3A%20evil");
}
