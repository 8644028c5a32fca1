// What is printed is decided line by line: a rule needs to see its line whole, and a value is in no hurry. A line goes
// out when its line break has come, no value can still be under way at its end, and no value spans its end; a partial
// line only by tick(). From the BEGIN line of a private key on nothing goes out: its lines would pass one by one.
#include "scan/redactor.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

#include "scan/look.hpp"

namespace imgbuild {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto patience = std::chrono::milliseconds(200);
constexpr std::size_t most_line = std::size_t{64} << 10;
constexpr std::size_t most_key = std::size_t{64} << 10;

struct Cut {
  std::size_t begin, end;
  std::string name;
  bool value;
};

std::string marker(const std::string& name) { return "[redacted: " + name + "]"; }

// The text with the cuts replaced; cuts that overlap are one, named after a value where one is among them.
std::string without(std::string_view text, std::vector<Cut> cuts) {
  std::sort(cuts.begin(), cuts.end(), [](const Cut& a, const Cut& b) {
    return std::tuple(a.begin, ~a.end, !a.value) < std::tuple(b.begin, ~b.end, !b.value);
  });
  std::string out;
  std::size_t done = 0;
  for (std::size_t i = 0; i < cuts.size();) {
    Cut all = cuts[i];
    for (++i; i < cuts.size() && cuts[i].begin < all.end; ++i) {
      all.end = std::max(all.end, cuts[i].end);
      if (!all.value && cuts[i].value) {
        all.value = true;
        all.name = cuts[i].name;
      }
    }
    out += text.substr(done, all.begin - done);
    out += marker(all.name);
    done = all.end;
  }
  return out += text.substr(done);
}

void add_rules(std::string_view text, const Scanner& scanner, std::size_t at, std::vector<Cut>& cuts) {
  for (const auto& hit : scanner.scan(view_of(text), {}))
    cuts.push_back(
        {at + static_cast<std::size_t>(hit.begin), at + static_cast<std::size_t>(hit.end), hit.rule->id, false});
}

// Where a private key begins in a line; npos: nowhere.
std::size_t key_begin(std::string_view line) {
  const std::size_t at = line.find("-----BEGIN ");
  if (at != std::string_view::npos && line.find("PRIVATE KEY", at) != std::string_view::npos) return at;
  return line.find("PuTTY-User-Key-File-");
}

}  // namespace

std::string redact(std::string_view text, const Scanner& scanner, const Vault& vault) {
  std::vector<Cut> cuts;
  for (auto& match : vault.matcher()->find(view_of(text))) cuts.push_back({match.begin, match.end, match.name, true});
  add_rules(text, scanner, 0, cuts);
  return without(text, std::move(cuts));
}

struct Redactor::Inside {
  std::shared_ptr<const Scanner> scanner;
  const Vault& vault;
  std::string held;
  Clock::time_point since = Clock::now();  // when the held partial line was last added to
  bool in_key = false;
  std::size_t key_bytes = 0;

  // Lets out what can go of held[0, limit).
  std::string release(std::size_t limit, bool end) {
    const auto matcher = vault.matcher();
    if (!end) limit = std::min(limit, held.size() - matcher->held_back(held));
    auto matches = matcher->find(view_of(held));
    // A value that spans the limit takes all that it touches with it; one may lead to the next.
    for (bool moved = true; moved;) {
      moved = false;
      for (const auto& match : matches)
        if (match.begin < limit && match.end > limit) {
          limit = match.begin;
          moved = true;
        }
    }
    return print(limit, std::move(matches));
  }

  std::string print(std::size_t limit, std::vector<ValueMatcher::Match> matches) {
    std::string out;
    std::vector<Cut> cuts;
    std::size_t from = 0;  // of what is not yet in `out`
    const auto flush = [&](std::size_t to) {
      std::vector<Cut> mine;
      for (const auto& match : matches)
        if (match.begin < to && match.end > from)
          mine.push_back({std::max(match.begin, from) - from, std::min(match.end, to) - from, match.name, true});
      for (auto& cut : cuts) mine.push_back({cut.begin - from, cut.end - from, cut.name, false});
      cuts.clear();
      out += without(std::string_view(held).substr(from, to - from), std::move(mine));
      from = to;
    };
    for (std::size_t begin = 0; begin < limit;) {
      const std::size_t newline = held.find('\n', begin);
      const std::size_t end = newline == std::string::npos || newline >= limit ? limit : newline + 1;
      const std::string_view line = std::string_view(held).substr(begin, end - begin);
      if (in_key) {
        key_bytes += line.size();
        from = end;
        if (line.find("-----END ") != std::string_view::npos || key_bytes > most_key) in_key = false;
      } else if (const std::size_t at = key_begin(line); at != std::string_view::npos) {
        flush(begin + at);
        out += marker("a private key");
        const std::size_t over = line.find("-----END ", at);
        in_key = over == std::string_view::npos;
        key_bytes = line.size() - at;
        from = end;
        if (line.back() == '\n') out += '\n';
      } else {
        add_rules(line, *scanner, begin, cuts);
      }
      begin = end;
    }
    if (from < limit) flush(limit);
    held.erase(0, limit);
    return out;
  }
};

Redactor::Redactor(std::shared_ptr<const Scanner> scanner, const Vault& vault)
    : inside_(new Inside{std::move(scanner), vault, {}, Clock::now(), false, 0}) {}

Redactor::~Redactor() = default;

std::string Redactor::feed(std::string_view piece) {
  if (piece.empty()) return {};
  Inside& in = *inside_;
  std::string out;
  while (!piece.empty()) {
    // In steps of the stream's own: what goes out must not depend on how much came at once.
    const std::size_t newline = piece.find('\n');
    const std::size_t take = newline == std::string_view::npos ? piece.size() : newline + 1;
    in.held += piece.substr(0, take);
    piece.remove_prefix(take);
  }
  in.since = Clock::now();
  const std::size_t last = in.held.rfind('\n');
  if (last != std::string::npos) out += in.release(last + 1, false);
  if (in.held.size() > most_line) out += in.release(in.held.size(), false);
  return out;
}

std::string Redactor::tick() {
  Inside& in = *inside_;
  if (in.held.empty() || in.in_key || Clock::now() - in.since < patience) return {};
  // What may become a BEGIN line stays.
  std::size_t limit = in.held.size();
  const std::size_t line = in.held.rfind('\n') == std::string::npos ? 0 : in.held.rfind('\n') + 1;
  const std::size_t dashes = in.held.find("--", line);
  if (dashes != std::string::npos)
    limit = dashes;
  else if (in.held.back() == '-')
    --limit;
  return in.release(limit, false);
}

std::string Redactor::finish() { return inside_->release(inside_->held.size(), true); }

}  // namespace imgbuild
