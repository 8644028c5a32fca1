#include "agent/known_hosts.hpp"

#include <catch2/catch.hpp>
#include <ctime>
#include <set>

#include "agent/forge_hosts.hpp"
#include "agent/grants.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "parts.hpp"

using namespace imgbuild;
using namespace imgbuild::parts;

namespace {

struct Lines {
  TempDir folder;
  SshKey a = public_half(make_key(folder.path(), "a"));
  SshKey b = public_half(make_key(folder.path(), "b"));

  static std::string of(const SshKey& key) { return key.type + " " + base64(key.blob); }
  static KnownHosts read(const std::string& content) {
    KnownHosts known;
    known.read(content, "known_hosts");
    return known;
  }
  static std::vector<std::string> keys(const KnownHosts& known, const std::string& host, int port = 22) {
    std::vector<std::string> found;
    for (const auto& key : known.find(host, port).keys) found.push_back(key.fingerprint());
    return found;
  }
};

using Found = std::vector<std::string>;

}  // namespace

TEST_CASE("known_hosts: names, comma lists, ports and patterns") {
  const Lines lines;
  const Found a{lines.a.fingerprint()}, none;
  const auto finds = [&](const std::string& names, const std::string& host, int port = 22) {
    return Lines::keys(Lines::read(names + " " + Lines::of(lines.a) + " a comment\n"), host, port) == a;
  };
  CHECK(finds("host", "host"));
  CHECK(finds("HOST", "host"));
  CHECK(finds("host", "Host"));
  CHECK_FALSE(finds("host", "other"));
  CHECK(finds("one,two,10.0.0.1", "two"));
  CHECK(finds("one,two,10.0.0.1", "10.0.0.1"));
  CHECK(finds("[host]:2222", "host", 2222));
  CHECK_FALSE(finds("[host]:2222", "host"));
  CHECK_FALSE(finds("[host]:2222", "host", 2223));
  CHECK(finds("[::1]:2222", "::1", 2222));
  CHECK(finds("*.example.com", "git.example.com"));
  CHECK_FALSE(finds("*.example.com,!git.example.com", "git.example.com"));
  CHECK_FALSE(finds("!git.example.com,*.example.com", "git.example.com"));
  CHECK(finds("*.example.com,!git.example.com", "cvs.example.com"));
  CHECK_FALSE(finds("!git.example.com", "cvs.example.com"));
  CHECK(finds("10.0.0.?", "10.0.0.7"));
  CHECK(finds("[10.0.0.*]:2222", "10.0.0.7", 2222));
  // As ssh does: by the name alone, where nothing is known with the port.
  CHECK(finds("host", "host", 2222));
}

TEST_CASE("known_hosts: a line with the port goes before one without") {
  const Lines lines;
  const auto known = Lines::read("host " + Lines::of(lines.a) + "\n[host]:2222 " + Lines::of(lines.b) + "\n");
  CHECK(Lines::keys(known, "host", 2222) == Found{lines.b.fingerprint()});
  CHECK(Lines::keys(known, "host") == Found{lines.a.fingerprint()});
}

TEST_CASE("known_hosts: names that ssh-keygen -H hashed") {
  const Lines lines;
  const std::string file = lines.folder.path() + "/known_hosts";
  write_file(file, "host,10.0.0.1 " + Lines::of(lines.a) + "\n[host]:2222 " + Lines::of(lines.b) + "\n");
  must({"ssh-keygen", "-H", "-f", file});
  const std::string hashed = read_file(file);
  REQUIRE(hashed.starts_with("|1|"));
  REQUIRE(hashed.find("host") == std::string::npos);
  const auto known = Lines::read(hashed);
  CHECK(known.warnings().empty());
  CHECK(Lines::keys(known, "host") == Found{lines.a.fingerprint()});
  CHECK(Lines::keys(known, "10.0.0.1") == Found{lines.a.fingerprint()});
  CHECK(Lines::keys(known, "HOST", 2222) == Found{lines.b.fingerprint()});
  CHECK(Lines::keys(known, "other").empty());
}

TEST_CASE("known_hosts: what is revoked counts nowhere, however it is granted") {
  const Lines lines;
  const std::string both = "host " + Lines::of(lines.a) + "\nhost " + Lines::of(lines.b) + "\n";
  for (const std::string names : {"*", "host", "h?st,other"})
    for (const bool first : {true, false}) {
      const std::string revoked = "@revoked " + names + " " + Lines::of(lines.a) + "\n";
      const auto known = Lines::read(first ? revoked + both : both + revoked);
      CHECK(Lines::keys(known, "host") == Found{lines.b.fingerprint()});
      CHECK(known.find("host", 22).fault(lines.a, "host", 0) == "host key " + lines.a.fingerprint() + " is revoked");
      CHECK(known.find("host", 22).fault(lines.b, "host", 0).empty());
    }
  // Also for the port that ssh finds by the name alone, and for a fingerprint.
  auto known = Lines::read("@revoked host " + Lines::of(lines.a) + "\n[host]:2222 " + Lines::of(lines.a) + "\n");
  CHECK(known.find("host", 2222).empty());
  known.add_fingerprint("host", lines.a.fingerprint());
  CHECK(known.find("host", 22).empty());
  CHECK(Lines::keys(Lines::read("@revoked other " + Lines::of(lines.a) + "\n" + both), "host").size() == 2);
}

TEST_CASE("known_hosts: an authority vouches for certificates, not for itself, and can be revoked") {
  const Lines lines;
  const std::string folder = lines.folder.path();
  const std::string host = make_key(folder, "host");
  must({"ssh-keygen", "-q", "-s", folder + "/a", "-I", "x", "-h", "-n", "git.example.com", host + ".pub"});
  const SshKey shown = parse_ssh_key_line(read_file(host + "-cert.pub"));
  const std::time_t now = std::time(nullptr);
  const std::string trusted = "@cert-authority *.example.com " + Lines::of(lines.a) + "\n";

  const HostKeys keys = Lines::read(trusted).find("git.example.com", 22);
  REQUIRE(keys.authorities.size() == 1);
  CHECK(keys.keys.empty());
  CHECK(keys.fault(shown, "git.example.com", now).empty());
  CHECK(keys.fault(shown, "cvs.example.com", now) == "the host certificate is not for cvs.example.com");
  CHECK_FALSE(keys.fault(lines.a, "git.example.com", now).empty());
  CHECK_FALSE(keys.fault(public_half(host), "git.example.com", now).empty());
  CHECK_FALSE(Lines::read("@cert-authority * " + Lines::of(lines.b))
                  .find("git.example.com", 22)
                  .fault(shown, "git.example.com", now)
                  .empty());

  const auto revoked_authority = Lines::read(trusted + "@revoked * " + Lines::of(lines.a));
  CHECK(revoked_authority.find("git.example.com", 22).empty());
  const auto revoked_host = Lines::read(trusted + "@revoked * " + Lines::of(public_half(host)));
  CHECK_FALSE(revoked_host.find("git.example.com", 22).fault(shown, "git.example.com", now).empty());
  // The key that it certifies may be known by itself, as ssh has it.
  CHECK(Lines::read("git.example.com " + Lines::of(public_half(host)))
            .find("git.example.com", 22)
            .fault(shown, "git.example.com", now)
            .empty());
}

TEST_CASE("known_hosts: a malformed line is told and costs nothing but itself") {
  const Lines lines;
  const auto known = Lines::read("# comment\n\n  \t\nhost\nhost ssh-ed25519\nhost ssh-ed25519 !!!\n@odd host " +
                                 Lines::of(lines.a) + "\n|1|aaaa|bbbb " + Lines::of(lines.a) + "\nhost ssh-rsa " +
                                 base64(lines.a.blob) + "\nhost ssh-ed25519 AAAA\r\n" + "host " + Lines::of(lines.a) +
                                 "\r\n" + std::string("\0\xff", 2) + "\n");
  CHECK(Lines::keys(known, "host") == Found{lines.a.fingerprint()});
  std::vector<std::string> where;
  for (const auto& warning : known.warnings()) where.push_back(warning.substr(0, warning.find(": ")));
  CHECK(where == Found{"known_hosts:4", "known_hosts:5", "known_hosts:6", "known_hosts:7", "known_hosts:8",
                       "known_hosts:9", "known_hosts:10", "known_hosts:12"});
}

TEST_CASE("known_hosts: a key of a kind that is not known here is no fault of the file") {
  const Lines lines;
  const std::string future = "ssh-lattice@example.com";
  const auto known =
      Lines::read("host " + future + " " + base64(WireWriter().string(future).string(Bytes(9)).bytes()) +
                  "\nhost ssh-dss " + base64(WireWriter().string("ssh-dss").bytes()) + "\nhost " + Lines::of(lines.a));
  CHECK(known.warnings().empty());
  CHECK(Lines::keys(known, "host") == Found{lines.a.fingerprint()});
}

TEST_CASE("known_hosts: a host of which a fingerprint is known") {
  const Lines lines;
  KnownHosts known;
  known.add_fingerprint("[host]:2222", lines.a.fingerprint());
  CHECK(known.find("host", 22).empty());
  const HostKeys keys = known.find("host", 2222);
  CHECK(keys.fingerprints == Found{lines.a.fingerprint()});
  CHECK(keys.fault(lines.a, "host", 0).empty());
  CHECK_FALSE(keys.fault(lines.b, "host", 0).empty());
  CHECK_THROWS_AS(known.add_fingerprint("host", "SHA256:short"), Error);
  CHECK_THROWS_AS(known.add_fingerprint("host", "MD5:00"), Error);
}

namespace {

HostGrant granted(const std::string& text, const KnownHosts& known = {}) {
  std::vector<std::string> warnings;
  return granted_host(
      text, known, [](const auto&) { return KnownHosts(); }, warnings);
}

std::set<std::string> fingerprints(const HostKeys& known) {
  std::set<std::string> found;
  for (const auto& key : known.keys) found.insert(key.fingerprint());
  return found;
}

}  // namespace

TEST_CASE("great forges show the host keys whose fingerprints they publish") {
  const std::pair<const char*, std::set<std::string>> published[] = {
      {"github.com",
       {"SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU", "SHA256:p2QAMXNIC1TJYWeIOttrVc98/R1BUFWu3/LiyKgUfQM",
        "SHA256:uNiVztksCsDhcc0u9e8BujQXVUpKZIDTMczCvj3tD2s"}},
      {"gitlab.com",
       {"SHA256:eUXGGm1YGsMAS7vkcx6JOJdOGHPem5gQp4taiCfCLB8", "SHA256:HbW3g8zUjNSksFbqTiUWPWg2Bq1x8xdGUrliXFzSnUw",
        "SHA256:ROQFvPThGrW4RuWLoL9tq9I9zJ42fK4XywyRtbOz/EQ"}},
      {"bitbucket.org",
       {"SHA256:ybgmFkzwOSotHTHLJgHO0QN8L0xErw6vd0VhFA9m3SM", "SHA256:FC73VB6C4OQLSCrjEayhMp9UMxS97caD/Yyi2bhW/J0",
        "SHA256:46OSHA1Rmj8E8ERTC6xkNcmGOw9oFxYr0WF6zWW8l1E"}},
      {"codeberg.org",
       {"SHA256:mIlxA9k46MmM6qdJOdMnAQpzGxF4WIVVL+fj+wZbw0g", "SHA256:T9FYDEHELhVkulEKKwge5aVhVTbqCW0MIRwAfpARs/E",
        "SHA256:6QQmYi4ppFS4/+zSZ5S4IU+4sa6rwvQ4PbhCtPEBekQ"}},
      {"git.sr.ht",
       {"SHA256:WXXNZu0YyoE3KBl5qh4GsnF1vR0NeEPYJAiPME+P09g", "SHA256:1nUUjsHH0qwfjI3dYFWlXTjPUP/Un1oo6wfu9YL8tCQ",
        "SHA256:rvz/I0S1T/9If9+/CU0HDTF8AV4MPu5Gkkxsb7vUTH4"}},
      {"ssh.dev.azure.com", {"SHA256:ohD8VZEXGWo6Ez8GSEJQ9WpafgLFsOfLOtGGQCQo6Og"}},
      {"vs-ssh.visualstudio.com", {"SHA256:ohD8VZEXGWo6Ez8GSEJQ9WpafgLFsOfLOtGGQCQo6Og"}},
  };
  CHECK(forge_hosts().warnings().empty());
  for (const auto& [host, keys] : published) CHECK(fingerprints(granted(host).known) == keys);
  CHECK(fingerprints(granted("ssh.github.com:443").known) == published[0].second);
  CHECK_THROWS_AS(granted("git@notgithub.com"), Error);
}

TEST_CASE("what the user's known_hosts says of a forge wins over what is built in, a revoked key too") {
  const Lines lines;
  CHECK(fingerprints(granted("github.com", Lines::read("github.com " + Lines::of(lines.a))).known) ==
        std::set<std::string>{lines.a.fingerprint()});
  const HostKeys built_in = granted("github.com").known;
  const auto revoked = granted("github.com", Lines::read("@revoked * " + Lines::of(built_in.keys[0]))).known;
  CHECK(revoked.keys.size() == built_in.keys.size() - 1);
  CHECK(revoked.fault(built_in.keys[0], "github.com", std::time(nullptr)).find("revoked") != std::string::npos);
  CHECK(revoked.fault(built_in.keys[1], "github.com", std::time(nullptr)).empty());
}
