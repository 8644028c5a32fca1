// How a line looks in each place.
#include <algorithm>
#include <cstdio>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/utc.hpp"
#include "log/sink.hpp"

namespace imgbuild {
namespace {

// A header field of RFC 5424: printable ASCII without blanks, of bounded length; "-" where nothing is left.
std::string field(std::string_view text, std::size_t most) {
  std::string out;
  for (const char c : text)
    if (c > 0x20 && c < 0x7f && out.size() < most) out += c;
  return out.empty() ? "-" : out;
}

bool digit(char c) { return c >= '0' && c <= '9'; }

// "Jan  1 00:00:00 ", which says no year and no zone; ours is as good.
bool has_old_time(std::string_view text) {
  return text.size() >= 16 && text[3] == ' ' && text[6] == ' ' && text[9] == ':' && text[12] == ':' &&
         text[15] == ' ' && digit(text[5]) && digit(text[7]) && digit(text[8]) && digit(text[10]) && digit(text[11]) &&
         digit(text[13]) && digit(text[14]);
}

}  // namespace

std::string log_time(const timespec& time) {
  char fraction[32];
  std::snprintf(fraction, sizeof fraction, ".%06ldZ", time.tv_nsec / 1000);
  return utc(time.tv_sec, "%Y-%m-%dT%H:%M:%S") + fraction;
}

std::string syslog_message(const LogLine& line, std::string_view host, std::string_view process) {
  return "<" + std::to_string(line.facility * 8 + line.severity) + ">1 " + log_time(line.time) + " " +
         field(host, 255) + " " + field(line.from, 48) + " " + field(process, 128) + " - - " + line.text;
}

std::string journal_message(const LogLine& line) {
  return "MESSAGE=" + line.text + "\nPRIORITY=" + std::to_string(line.severity) +
         "\nSYSLOG_FACILITY=" + std::to_string(line.facility) + "\nSYSLOG_IDENTIFIER=" + field(line.from, 48) + "\n";
}

std::string log_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == 0x1b && i + 1 < text.size() && text[i + 1] == '[') {  // CSI: parameters, then one letter (ECMA-48 5.4)
      std::size_t end = i + 2;
      while (end < text.size() && text[end] >= 0x20 && text[end] < 0x40) ++end;
      if (end < text.size() && text[end] >= 0x40 && text[end] < 0x7f) {
        i = end;
        continue;
      }
    }
    if ((c < 0x20 && c != '\t') || c == 0x7f) {
      char code[8];
      std::snprintf(code, sizeof code, "\\x%02x", c);
      out += code;
    } else {
      out += static_cast<char>(c);
    }
  }
  return out;
}

LogLine parse_syslog(std::string_view text, const timespec& now) {
  LogLine line;
  line.time = now;
  line.severity = 5;
  line.from = "script";
  while (!text.empty() && (text.back() == '\n' || text.back() == '\0')) text.remove_suffix(1);
  if (const std::size_t close = text.find('>'); text.starts_with('<') && close >= 2 && close <= 4) {
    const std::string_view digits = text.substr(1, close - 1);
    if (std::all_of(digits.begin(), digits.end(), digit)) {
      const int priority = std::stoi(std::string(digits));
      if (priority <= 191) {
        line.facility = priority / 8;
        line.severity = priority % 8;
        text.remove_prefix(close + 1);
      }
    }
  }
  if (has_old_time(text)) text.remove_prefix(16);
  const std::size_t end = text.find(": ");
  if (end != std::string_view::npos && end > 0 && end <= 64 &&
      text.substr(0, end).find(' ') == std::string_view::npos) {
    const std::string_view tag = text.substr(0, end);
    line.from = field(tag.substr(0, tag.find('[')), 48);
    text.remove_prefix(end + 2);
  }
  line.text = log_text(text);
  return line;
}

LogTarget parse_log_target(const std::string& said) {
  const auto wrong = [&](const char* why) {
    return usage_error("--log: " + printable(said) + ": " + why,
                       "DIR, syslog, syslog:udp:HOST:PORT, syslog:tcp:HOST:PORT, syslog:unix:PATH or journald");
  };
  LogTarget target;
  target.said = said;
  target.path = said;
  const auto after = [&](std::string_view word) { return said.substr(word.size()); };
  if (said.empty()) throw wrong("names nothing");
  if (said == "syslog" || said.starts_with("syslog:unix:")) {
    target.kind = LogTarget::Kind::syslog_unix;
    target.path = said == "syslog" ? "/dev/log" : after("syslog:unix:");
  } else if (said == "journald" || said.starts_with("journald:")) {
    target.kind = LogTarget::Kind::journald;
    target.path = said == "journald" ? "/run/systemd/journal/socket" : after("journald:");
  } else if (said.starts_with("syslog:udp:") || said.starts_with("syslog:tcp:")) {
    target.kind = said[7] == 'u' ? LogTarget::Kind::syslog_udp : LogTarget::Kind::syslog_tcp;
    const std::string server = after("syslog:udp:");
    const std::size_t colon = server.rfind(':');
    if (colon == std::string::npos || colon == 0) throw wrong("must be HOST:PORT");
    target.host = server.substr(0, colon);
    target.port = server.substr(colon + 1);
    if (target.host.starts_with('[') && target.host.ends_with(']'))
      target.host = target.host.substr(1, target.host.size() - 2);
    if (target.port.empty() || target.port.size() > 5 || !std::all_of(target.port.begin(), target.port.end(), digit) ||
        std::stoi(target.port) < 1 || std::stoi(target.port) > 65535)
      throw wrong("PORT must be a number up to 65535");
    target.path.clear();
  } else if (said.starts_with("syslog:")) {
    throw wrong("no such way to a syslog");
  }
  if (target.kind != LogTarget::Kind::folder && target.kind != LogTarget::Kind::syslog_udp &&
      target.kind != LogTarget::Kind::syslog_tcp && (target.path.empty() || target.path.size() > 107))
    throw wrong("no path of a socket");
  return target;
}

}  // namespace imgbuild
