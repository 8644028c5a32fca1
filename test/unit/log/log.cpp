// A build's log: what reaches its sinks, in which form, and what is told where one is gone or hangs.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/temp_dir.hpp"
#include "base/text.hpp"
#include "log/log.hpp"

using namespace imgbuild;
using namespace std::chrono_literals;

namespace {

// A socket of datagrams that somebody else listens to.
struct Listener {
  explicit Listener(std::string at) : path(std::move(at)), socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path.c_str());
    REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    const timeval patience{5, 0};
    REQUIRE(::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0);
  }
  std::string next() {
    char message[65536];
    const ssize_t n = ::recv(socket.get(), message, sizeof message, 0);
    return n < 0 ? "(nothing)" : std::string(message, static_cast<std::size_t>(n));
  }
  std::string path;
  Fd socket;
};

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path());
  std::sort(names.begin(), names.end());
  return names;
}

std::string content(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// The lines of all files, without their times.
std::vector<std::string> lines_in(const std::string& folder) {
  std::vector<std::string> lines;
  for (const auto& file : files_in(folder))
    for (const auto& line : split(content(file), '\n'))
      if (!line.empty()) lines.push_back(line.substr(line.find(' ') + 1));
  return lines;
}

}  // namespace

TEST_CASE("every line reaches the folder in order, whole, however it was cut, and only the user may read it") {
  const TempDir folder;
  Log log({parse_log_target(folder.path() + "/logs")}, {});
  log.text("one\ntw");
  log.text("o\r\nback\rslash\n\n\x1b[1;31mred\x1b[0m \x07 bell\n");
  LogLine own;
  own.from = "backup";
  own.text = "from the script";
  log.line(own);
  log.text("no end");
  CHECK(log.end(5s).empty());
  CHECK(lines_in(folder.path() + "/logs") == std::vector<std::string>{"one", "two", "back", "slash", "",
                                                                      "red \\x07 bell", "backup: from the script",
                                                                      "no end"});
  const auto files = files_in(folder.path() + "/logs");
  REQUIRE(files.size() == 1);
  CHECK((std::filesystem::status(files[0]).permissions() & std::filesystem::perms::all) ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  CHECK(content(files[0]).substr(0, 2) == "20");
}

TEST_CASE("a log that is too long goes on in another file, and the oldest files go, but nobody else's") {
  const TempDir folder;
  std::ofstream(folder.path() + "/theirs.log") << "x";
  std::filesystem::create_symlink("/etc/passwd", folder.path() + "/imgbuild-link.log");
  {
    Log log({parse_log_target(folder.path())}, {.keep = 3, .size = 1000});
    for (int i = 0; i < 100; ++i) log.text("line " + std::to_string(i) + " " + std::string(60, 'x') + "\n");
    CHECK(log.end(5s).empty());
  }
  const auto files = files_in(folder.path());
  CHECK(files.size() == 3 + 2);
  for (const auto& file : files)
    if (file.find("imgbuild-2") != std::string::npos) CHECK(std::filesystem::file_size(file) <= 1000);
  CHECK(lines_in(folder.path()).size() > 10);
  CHECK(content(files[2]).find("line 99") != std::string::npos);
}

TEST_CASE("a folder that cannot be one is a usage error") {
  const TempDir folder;
  std::ofstream(folder.path() + "/file") << "x";
  CHECK_THROWS_AS(Log({parse_log_target(folder.path() + "/file")}, {}), Error);
  for (const char* said : {"", "syslog:", "syslog:udp:", "syslog:udp:host", "syslog:tcp:host:0",
                           "syslog:tcp:host:99999", "syslog:tls:host:1", "journald:"})
    CHECK_THROWS_AS(parse_log_target(said), Error);
  CHECK(parse_log_target("syslog:tcp:[::1]:514").host == "::1");
  CHECK(parse_log_target("syslog").path == "/dev/log");
}

TEST_CASE("syslog has RFC 5424, a long line in pieces; journald a field a line") {
  const TempDir folder;
  Listener syslog(folder.path() + "/s"), journal(folder.path() + "/j");
  Log log({parse_log_target("syslog:unix:" + syslog.path), parse_log_target("journald:" + journal.path)}, {});
  log.text("imgbuild: warning: hm\n", 4);
  const std::string message = syslog.next();
  CHECK(message.starts_with("<12>1 20"));
  CHECK(message.ends_with(" imgbuild " + std::to_string(::getpid()) + " - - imgbuild: warning: hm"));
  CHECK(split(message, ' ').size() == 10);
  CHECK(journal.next() == "MESSAGE=imgbuild: warning: hm\nPRIORITY=4\nSYSLOG_FACILITY=1\nSYSLOG_IDENTIFIER=imgbuild\n");
  log.text(std::string(7999, 'a') + "\xc3\xa9" + std::string(5000, 'b') + "\n");
  CHECK(syslog.next().ends_with("- " + std::string(7999, 'a')));
  CHECK(syslog.next().ends_with("- \xc3\xa9" + std::string(5000, 'b')));
  CHECK(log.end(5s).empty());
}

TEST_CASE("a sink that nobody serves loses all lines, which is told, and no time") {
  const TempDir folder;
  const auto began = std::chrono::steady_clock::now();
  Log log({parse_log_target("syslog:unix:" + folder.path() + "/none"), parse_log_target(folder.path() + "/logs")}, {});
  for (int i = 0; i < 10; ++i) log.text("line\n");
  const auto told = log.end(5s);
  REQUIRE(told.size() == 1);
  CHECK(told[0].find("/none: 10 lines of the log were lost (") != std::string::npos);
  CHECK(told[0].find("No such file") != std::string::npos);
  CHECK(lines_in(folder.path() + "/logs").size() == 10);
  CHECK(std::chrono::steady_clock::now() - began < 4s);
}

TEST_CASE("a sink that hangs holds nobody up: what does not fit is counted, and told where it is missing") {
  const TempDir folder;
  Listener syslog(folder.path() + "/s");  // reads nothing for now
  Log log({parse_log_target("syslog:unix:" + syslog.path)}, {});
  const auto began = std::chrono::steady_clock::now();
  const std::string long_line(60'000, 'x');
  for (int i = 0; i < 400; ++i) log.text(long_line + "\n");  // 24 MB
  CHECK(std::chrono::steady_clock::now() - began < 20s);
  SECTION("for ever") {
    const auto told = log.end(300ms);
    REQUIRE(told.size() == 1);
    CHECK(told[0].find(" lines of the log were lost (it is too slow)") != std::string::npos);
  }
  SECTION("for a while: what was held arrives, then how many are missing") {
    std::string notice;
    std::size_t pieces = 0;
    std::thread reader([&] {
      for (std::string message = syslog.next(); message != "(nothing)"; message = syslog.next()) {
        if (message.find("lines of the log were lost here") != std::string::npos) {
          notice = message;
          break;
        }
        ++pieces;
      }
    });
    const auto told = log.end(20s);
    reader.join();
    REQUIRE(told.size() == 1);
    const auto lost = std::stoul(told[0].substr(told[0].rfind(": ") + 2));
    CHECK(lost > 0);
    CHECK(notice.find(std::to_string(lost) + " lines of the log were lost here") != std::string::npos);
    CHECK(pieces == (400 - lost) * 8);
  }
}

TEST_CASE("a sink that comes back has the lines that waited for it") {
  const TempDir folder;
  auto first = std::make_unique<Listener>(folder.path() + "/s");
  Log log({parse_log_target("syslog:unix:" + first->path)}, {});
  log.text("one\n");
  CHECK(first->next().ends_with("- one"));
  first.reset();
  std::filesystem::remove(folder.path() + "/s");
  log.text("two\nthree\n");
  std::this_thread::sleep_for(100ms);
  Listener second(folder.path() + "/s");
  CHECK(second.next().ends_with("- two"));
  CHECK(second.next().ends_with("- three"));
  CHECK(log.end(5s).empty());
}

TEST_CASE("what a program writes to /dev/log is a line with its own severity and name") {
  const auto line = parse_syslog("<11>Nov 25 16:00:00 backup[77]: disk \x1b[1mfull\x1b[0m\n", {});
  CHECK(line.facility == 1);
  CHECK(line.severity == 3);
  CHECK(line.from == "backup");
  CHECK(line.text == "disk full");
  CHECK(parse_syslog("no syslog at all", {}).text == "no syslog at all");
  CHECK(parse_syslog("no syslog at all", {}).from == "script");
  CHECK(parse_syslog("<999>x", {}).text == "<999>x");
  CHECK(parse_syslog("<>", {}).text == "<>");
  CHECK(parse_syslog(std::string("<13>a\nb\0", 8), {}).text == "a\\x0ab");
  CHECK(parse_syslog("", {}).text.empty());
}
