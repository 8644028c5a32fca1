// TLS as a remote engine has it: its own authority, and a certificate asked of the client. The server is openssl's.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>

#include "base/process.hpp"
#include "base/temp_dir.hpp"
#include "http/client.hpp"

using namespace imgbuild;

namespace {

std::uint16_t free_port() {
  const Fd probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(probe.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::getsockname(probe.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  return ntohs(address.sin_port);
}

void openssl(std::vector<std::string> argv, const std::string& folder) {
  argv.insert(argv.begin(), "openssl");
  const Ran ran = run({.argv = argv, .directory = folder});
  INFO(ran.err);
  REQUIRE(ran.status == 0);
}

}  // namespace

TEST_CASE("TLS: the server must be who it says, and is told who we are") {
  TempDir dir;
  const std::string& folder = dir.path();
  for (const std::string name : {"ca", "stranger"})
    openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", name + ".key",
             "-out", name + ".pem", "-subj", "/CN=" + name, "-days", "2"},
            folder);
  for (const std::string name : {"server", "client"}) {
    openssl({"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", name + ".key", "-out",
             name + ".csr", "-subj", "/CN=" + name},
            folder);
    write_file(folder + "/ext", "subjectAltName=IP:127.0.0.1\n");
    openssl({"x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out",
             name + ".pem", "-days", "2", "-extfile", "ext"},
            folder);
  }
  const std::uint16_t port = free_port();
  const Fd null = Fd::open("/dev/null", O_RDWR);
  Process server({.argv = {"openssl", "s_server", "-accept", "127.0.0.1:" + std::to_string(port), "-cert", "server.pem",
                           "-key", "server.key", "-CAfile", "ca.pem", "-Verify", "1", "-verify_return_error", "-www"},
                  .directory = folder,
                  .in = null.get(),
                  .out = null.get(),
                  .err = null.get()});

  HttpEndpoint endpoint;
  endpoint.host = "127.0.0.1";
  endpoint.port = port;
  endpoint.tls = true;
  endpoint.ca = folder + "/ca.pem";
  endpoint.cert = folder + "/client.pem";
  endpoint.key = folder + "/client.key";

  HttpAnswer answer;
  for (int i = 0; i < 100 && answer.status == 0; ++i) try {
      answer = HttpClient(endpoint).request({.target = "/"});
    } catch (const Unreachable& error) {
      if (error.number() != ECONNREFUSED) throw;
      ::usleep(50'000);
    }
  CHECK(answer.status == 200);
  CHECK_THAT(answer.body, Catch::Contains("Secure Renegotiation") || Catch::Contains("Cipher"));

  HttpEndpoint without = endpoint;
  without.cert.clear();
  without.key.clear();
  CHECK_THROWS_AS(HttpClient(without).request({.target = "/"}), Error);

  HttpEndpoint stranger = endpoint;
  stranger.ca = folder + "/stranger.pem";
  CHECK_THROWS_AS(HttpClient(stranger).request({.target = "/"}), Unreachable);

  // s_server -www answers in HTTP/1.0 and closes: the hijacked head and stream go over the same TLS.
  const Hijacked hijacked = HttpClient(endpoint).hijack({.method = "GET", .target = "/"});
  REQUIRE(hijacked.stream);
  CHECK(hijacked.answer.status == 200);
}
