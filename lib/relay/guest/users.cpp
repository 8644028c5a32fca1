// passwd(5) and group(5) are read here: a static program has no name service, and the base's may be a musl's.
#include "relay/guest/guest.hpp"

namespace imgbuild::guest {
namespace {

bool number(std::string_view text, unsigned& value) {
  if (text.empty() || text.size() > 10 || text.find_first_not_of("0123456789") != std::string_view::npos) return false;
  unsigned long long wide = 0;
  for (const char c : text) wide = wide * 10 + static_cast<unsigned>(c - '0');
  value = static_cast<unsigned>(wide);
  return wide < 0xFFFFFFFFu;
}

std::string_view cut(std::string_view& text, char at) {
  const std::size_t end = text.find(at);
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

struct Line {
  std::string_view field[7];
};

// Calls `each` for every line of at least `fields` fields until it returns true.
template <class Each>
bool any_line(std::string_view file, int fields, Each each) {
  while (!file.empty()) {
    std::string_view rest = cut(file, '\n');
    Line line;
    int n = 0;
    for (; n < 7 && (!rest.empty() || n == 0); ++n) line.field[n] = cut(rest, ':');
    if (n >= fields && each(line)) return true;
  }
  return false;
}

}  // namespace

Account find_account(const std::string& folder, std::string_view user) {
  std::string passwd, group;
  slurp(folder + "/passwd", passwd);
  slurp(folder + "/group", group);

  std::string_view rest = user;
  std::string_view who = cut(rest, ':');
  const std::string_view with = rest;
  if (who.empty()) who = "0";
  Account account;
  std::string name;
  const auto take = [&](const Line& line) {
    unsigned uid = 0, gid = 0;
    if (!number(line.field[2], uid) || !number(line.field[3], gid)) return false;
    account.uid = uid;
    account.gid = gid;
    account.known = true;
    name = line.field[0];
    if (!line.field[5].empty()) account.home = line.field[5];
    return true;
  };
  unsigned wanted = 0;
  if (!any_line(passwd, 4, [&](const Line& line) { return line.field[0] == who && take(line); })) {
    if (!number(who, wanted)) fail("no user " + std::string(who) + " in the base's passwd");
    account.uid = wanted;
    any_line(passwd, 4, [&](const Line& line) {
      unsigned uid = 0;
      return number(line.field[2], uid) && uid == wanted && take(line);
    });
  }
  if (!with.empty()) {
    // A group that is named stands alone, as engines have it.
    const bool found = any_line(group, 3, [&](const Line& line) {
      unsigned gid = 0;
      if (line.field[0] != with || !number(line.field[2], gid)) return false;
      account.gid = gid;
      return true;
    });
    if (!found) {
      if (!number(with, wanted)) fail("no group " + std::string(with) + " in the base's group file");
      account.gid = wanted;
    }
    return account;
  }
  account.groups.push_back(account.gid);
  any_line(group, 4, [&](const Line& line) {
    unsigned gid = 0;
    if (name.empty() || !number(line.field[2], gid)) return false;
    for (std::string_view members = line.field[3]; !members.empty();)
      if (cut(members, ',') == name) account.groups.push_back(gid);
    return false;
  });
  return account;
}

}  // namespace imgbuild::guest
