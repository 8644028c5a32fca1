#include "scan/named.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "scan/letters.hpp"
#include "scan/literals.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t shortest = 6, longest = 100, farthest = 120, longest_name = 60;

bool is_of_password(char c) { return c > 0x20 && c < 0x7f && c != '"' && c != '\\'; }

// Between an equals sign and what a call is given: `new StringBuilder().append(`, `atob('`, `$(echo `.
bool may_stand_between(char c) {
  return is_alphanumeric(c) || is_blank(c) || is_quote(c) ||
         std::string_view("_.:()[]{}<>&!$@-|%").find(c) != std::string_view::npos;
}

// l_pwd VARCHAR2(60) :, var password string: what SQL and Go say behind a name of what is given it.
std::string_view without_type(std::string_view name) {
  std::string_view rest = name;
  while (!rest.empty() && (is_blank(rest.back()) || rest.back() == ':')) rest.remove_suffix(1);
  if (rest.ends_with(')')) rest = rest.substr(0, std::min(rest.rfind('('), rest.size()));
  std::size_t begin = rest.size();
  while (begin > 0 && is_name_char(rest[begin - 1])) --begin;
  const std::string type = lower(rest.substr(begin));
  static constexpr std::string_view types[] = {"string",    "varchar", "varchar2", "nvarchar",
                                               "nvarchar2", "char",    "nchar",    "text"};
  const std::string_view before = trim(rest.substr(0, begin));
  const bool is_type = std::find(std::begin(types), std::end(types), type) != std::end(types);
  return is_type && !before.empty() && is_name_char(before.back()) ? before : name;
}

// define('NAME', and #define NAME: names without a sign behind them.
std::string_view name_given(std::string_view line) {
  const std::string_view start = trim(line);
  if (start.starts_with("#define ")) {
    const std::string_view name = trim(start.substr(8));
    return name.substr(0, std::min(name.find_first_of(" \t("), name.size()));
  }
  if (!start.ends_with(',')) return {};
  const std::string_view given = trim(start.substr(0, start.size() - 1));
  if (given.size() < 3 || !is_quote(given.back())) return {};
  const std::size_t open = given.rfind(given.back(), given.size() - 2);
  if (open == std::string_view::npos || open == 0 || given[open - 1] != '(') return {};
  const std::string_view name = given.substr(open + 1, given.size() - open - 2);
  return std::all_of(name.begin(), name.end(), is_name_char) ? name : std::string_view();
}

}  // namespace

std::string_view name_before_value(std::string_view line) {
  std::size_t sign = line.size();
  while (sign > 0 && may_stand_between(line[sign - 1])) --sign;
  if (const std::string_view name = name_given(sign > 0 && line[sign - 1] == ',' ? line.substr(0, sign) : line);
      !name.empty())
    return name;
  // "name": value, name: Type = value
  const bool assigned = sign > 0 && line[sign - 1] == '=';
  if (!assigned) {
    sign = line.rfind(':');
    if (sign == std::string_view::npos) return {};
    ++sign;
  }
  std::string_view name = trim(line.substr(0, sign - 1));
  if (const std::size_t colon = name.find(": "); assigned && colon != std::string_view::npos)
    name = name.substr(0, colon);  // its type
  name = without_type(name);
  if (name.ends_with(" get()")) name = trim(name.substr(0, name.size() - 6));  // Kotlin's
  while (!name.empty() && !is_name_char(name.back()))
    if (const std::size_t open = name.find_last_of('['); name.back() == ']' && open != std::string_view::npos)
      name = trim(name.substr(0, open));
    else
      name.remove_suffix(1);
  std::size_t begin = name.size();
  while (begin > 0 && name.size() - begin < longest_name && is_name_char(name[begin - 1])) --begin;
  return name.substr(begin);
}

namespace {

// client.setPassword(, builder.withToken(
std::string_view setter_name(std::string_view line) {
  while (!line.empty() && (is_quote(line.back()) || is_blank(line.back()))) line.remove_suffix(1);
  if (!line.ends_with('(')) return {};
  line.remove_suffix(1);
  std::size_t begin = line.size();
  while (begin > 0 && line.size() - begin < longest_name && is_name_char(line[begin - 1])) --begin;
  line = line.substr(begin);
  for (const std::string_view verb : {"set", "with"})
    if (starts_caseless(line, verb))
      return line.substr(verb.size() + (line.substr(verb.size()).starts_with('_') ? 1 : 0));
  return {};
}

// tok, wifi_pass: says_secret() and short names that end so.
bool names_secret(std::string_view name) {
  const std::string small = lower(name);
  return says_secret(name) || small == "tok" || small.ends_with("_tok");
}

}  // namespace

bool says_secret(std::string_view line) {
  const std::string small = lower(line);
  for (const std::string_view word : {"pass", "pw", "secret", "token", "key", "cred", "senha", "clave", "kennw"})
    if (small.find(word) != std::string::npos) return true;
  return false;
}

std::string_view name_around(std::string_view line, std::size_t begin, std::size_t end) {
  constexpr std::size_t near = 48;
  const std::string_view before = line.substr(0, begin);
  if (const std::string_view name = name_before_value(before); names_secret(name)) return name;
  // The last word before it that says so. (Not over what ends a statement.)
  const std::size_t stop = before.find_last_of(";?");
  const std::size_t low = stop == std::string_view::npos ? 0 : stop + 1;
  for (std::size_t at = before.size(); at > low && before.size() - at < near;) {
    if (!is_name_char(before[at - 1])) {
      --at;
      continue;
    }
    std::size_t first = at;
    while (first > low && is_name_char(before[first - 1])) --first;
    if (const std::string_view word = before.substr(first, at - first); names_secret(word)) return word;
    at = first;
  }
  static constexpr std::string_view said = "password";
  const std::string_view behind = line.substr(end);
  const std::size_t comment = std::min({behind.find("//"), behind.find('#'), behind.find("--")});
  if (comment != std::string_view::npos && says_secret(behind.substr(comment))) return said;
  // echo ... | base64 -d > /run/dbpass, certutil -decode t.b64 pass.txt, | docker login --password-stdin
  for (const std::string_view to : {"> ", ">", "tee ", "-decode ", "-out "})
    if (const std::size_t at = behind.find(to); at != std::string_view::npos) {
      const std::string_view rest = behind.substr(at + to.size());
      if (says_secret(rest.substr(0, rest.find_first_of("&;|")))) return said;
    }
  for (const std::string_view to : {"sudo -S", "passwd", "kinit", "cryptsetup", "su -"})
    if (behind.find(to) != std::string_view::npos) return said;
  return {};
}

std::string shown_name(std::string_view name, std::string_view value) {
  constexpr std::size_t least_key = 20;
  const std::string small = lower(name);
  if (value.size() >= least_key && (small == "key" || small == "tok" || small.ends_with("_tok"))) return "api_key";
  return std::string(small == "pw" ? "password" : name);
}

DecodedRun assigned_run(const char* encoding, std::string_view name, std::size_t name_at, std::string_view value,
                        std::size_t begin, std::size_t end) {
  DecodedRun run;
  run.encoding = encoding;
  run.bytes.append(name).append("=\"");
  run.pieces = {{0, name_at}, {name.size(), begin}, {run.bytes.size(), begin}};
  run.bytes += value;
  run.pieces.push_back({run.bytes.size(), end});
  run.bytes += "\"\n";
  return run;
}

bool name_run(View text, const DecodedRun& run, DecodedRun& named) {
  if (run.backwards || run.lead >= run.bytes.size() || run.use == nowhere) return false;
  std::string_view value = std::string_view(run.bytes).substr(run.lead);
  while (!value.empty() && (is_break(value.back()) || is_quote(value.back()))) value.remove_suffix(1);
  if (value.size() < shortest || value.size() > longest || !std::all_of(value.begin(), value.end(), is_of_password))
    return false;
  // Hex that is hex once more: the body of a vault.
  const bool hex = value.size() >= 16 && value.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (hex && std::string_view(run.encoding) == "hex") return false;
  const std::size_t at = run.position_of(run.lead);
  const std::size_t end = run.use ? run.end_of_piece(run.lead) : run.end_of(run.lead + value.size());
  if (end <= at || end > text.size()) return false;
  const std::size_t place = run.use.value_or(at);
  std::size_t low = place;
  while (low > 0 && place - low < farthest && !is_break(static_cast<char>(text[low - 1]))) --low;
  const std::string_view line = text_of(text.subspan(low, place - low));
  std::string_view name = run.use ? setter_name(line) : std::string_view();
  if (name.empty()) name = name_before_value(line);
  if (!says_secret(name)) return false;
  const auto name_at = low + static_cast<std::size_t>(name.data() - line.data());
  const std::string shown = shown_name(name, value);
  named = assigned_run(run.encoding, shown, name_at, value, at, end);
  named.plain = true;
  named.lead = shown.size() + 2;
  named.use = run.use;
  if (run.use && end - at < value.size()) named.pieces.insert(named.pieces.end() - 1, {named.lead + (end - at), end});
  return true;
}

}  // namespace imgbuild
