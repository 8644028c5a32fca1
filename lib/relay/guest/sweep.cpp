// After the script nothing may run that could still change a file: a process that it left behind would do so between
// two reads of the commit. All are stopped first, then killed: what is stopped does not fork.
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "relay/guest/guest.hpp"

namespace imgbuild::guest {
namespace {

struct Seen {
  pid_t pid, parent;
  std::string name;
};

// Every living process but pid 1 and ourselves. Zombies do nothing.
std::vector<Seen> living() {
  std::vector<Seen> all;
  DIR* list = ::opendir("/proc");
  if (list == nullptr) return all;
  while (const dirent* entry = ::readdir(list)) {
    if (!isdigit(static_cast<unsigned char>(entry->d_name[0]))) continue;
    const pid_t pid = ::atoi(entry->d_name);
    if (pid <= 1 || pid == ::getpid()) continue;
    std::string stat;
    if (!slurp("/proc/" + std::string(entry->d_name) + "/stat", stat)) continue;
    // "PID (NAME) STATE PARENT ...": the name may hold anything, the last ')' ends it.
    const std::size_t open = stat.find('('), close = stat.rfind(')');
    if (open == std::string::npos || close == std::string::npos || close + 4 > stat.size()) continue;
    const char state = stat[close + 2];
    if (state == 'Z' || state == 'X') continue;
    all.push_back({pid, ::atoi(stat.c_str() + close + 4), stat.substr(open + 1, close - open - 1)});
  }
  ::closedir(list);
  return all;
}

std::vector<Seen> targets(bool container) {
  std::vector<Seen> all = living();
  if (container) return all;
  std::vector<pid_t> family{::getpid()};
  std::vector<Seen> ours;
  for (bool grew = true; grew;) {
    grew = false;
    for (Seen& each : all) {
      bool child = false;
      for (const pid_t parent : family) child = child || (each.pid != 0 && each.parent == parent);
      if (!child) continue;
      family.push_back(each.pid);
      ours.push_back(each);
      each.pid = 0;
      grew = true;
    }
  }
  return ours;
}

}  // namespace

bool sweep(bool container, std::vector<Left>& killed) {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const time_t until = now.tv_sec + 10;
  while (now.tv_sec <= until) {
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    const std::vector<Seen> left = targets(container);
    if (left.empty()) return true;
    for (const Seen& each : left) ::kill(each.pid, SIGSTOP);
    for (const Seen& each : left) {
      bool told = killed.size() >= wire::most_killed;
      for (const Left& before : killed) told = told || before.pid == each.pid;
      if (!told) killed.push_back({each.pid, each.name});
      ::kill(each.pid, SIGKILL);
    }
    const timespec moment{0, 2000000};
    ::nanosleep(&moment, nullptr);
    ::clock_gettime(CLOCK_MONOTONIC, &now);
  }
  return false;
}

}  // namespace imgbuild::guest
