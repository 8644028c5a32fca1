#include "audit/sightings.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace imgbuild {
namespace {

/// The SHA256 fingerprint of a public key line's blob, as ssh-keygen -l prints it; empty where there is none.
std::string fingerprint_in(std::string_view line) {
  for (const std::string_view type : {"ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"}) {
    std::size_t at = line.find(type);
    if (at == std::string_view::npos) continue;
    at = line.find(' ', at);
    if (at == std::string_view::npos) continue;
    std::string_view blob = trim(line.substr(at));
    blob = blob.substr(0, blob.find(' '));
    const auto bytes = blob.starts_with("AAAA") ? unbase64(blob) : std::nullopt;
    if (!bytes) continue;
    std::string text = base64(sha256(*bytes));
    while (text.ends_with('=')) text.pop_back();
    return "SHA256:" + text;
  }
  return {};
}

bool holds_public_keys(const std::string& path) {
  const std::string_view name = std::string_view(path).substr(path.rfind('/') + 1);
  return name.starts_with("authorized_keys") || name.ends_with(".pub");
}

}  // namespace

Budget::Budget(std::uint64_t file_bytes)
    : most_bytes_(std::max<std::uint64_t>(std::uint64_t{1} << 30, file_bytes * 200)) {}

void Budget::take_bytes(std::uint64_t count) {
  if (bytes_.fetch_add(count) + count > most_bytes_)
    throw Limit("holds more than " + human_size(most_bytes_) + " of nested content");
}

void Budget::take_member() {
  if (members_.fetch_add(1) >= 1'000'000) throw Limit("holds more than 1000000 nested members");
}

void Budget::take_gap() {
  if (gaps_.fetch_add(1) >= 10'000) throw Limit("holds more than 10000 nested things that cannot be opened");
}

void Sightings::add(Sighting sighting) {
  const std::lock_guard lock(mutex_);
  found.push_back(std::move(sighting));
}

void Sightings::add(NotScanned gap) {
  const std::lock_guard lock(mutex_);
  gaps.push_back(std::move(gap));
}

void Sightings::add(PublicKey key) {
  const std::lock_guard lock(mutex_);
  keys.push_back(std::move(key));
}

std::string Where::full_path() const {
  std::string full = path;
  for (const auto& part : inside) full += "!" + part;
  return full;
}

const std::string& WholeFile::sha256() const {
  std::call_once(once_, [this] { sha256_ = sha256_digest(content_.bytes); });
  return sha256_;
}

void Where::add(Hit hit, std::string sha256) const {
  if (sha256.empty() && container) sha256 = container->sha256();
  hit.decoded.insert(hit.decoded.begin(), decoded.begin(), decoded.end());
  record->add(Sighting{kind, entry, path, inside, whole_document, std::move(sha256), std::move(hit)});
}

void Where::add_gap(std::string why, std::uint64_t bytes, std::string sha256) const {
  if (guessed && (why.starts_with("damaged") || why.starts_with("truncated"))) return;
  if (depth > 0 && budget) budget->take_gap();
  NotScanned gap;
  gap.path = full_path();
  gap.why = std::move(why);
  gap.bytes = bytes;
  gap.sha256 = std::move(sha256);
  record->add(std::move(gap));
}

void Desk::scan(View content, const Where& where) const {
  auto hits = scanner.scan(content, subject(where.name(), where.matter));
  const std::string sha256 = hits.empty() ? "" : sha256_digest(content);
  for (auto& hit : hits) where.add(std::move(hit), sha256);
  if (content.size() > (std::size_t{1} << 20) || !holds_public_keys(where.name())) return;
  std::size_t number = 0;
  for (const auto& line : split(text_of(content), '\n')) {
    ++number;
    if (auto fingerprint = fingerprint_in(line); !fingerprint.empty())
      where.record->add(PublicKey{std::move(fingerprint), where.full_path() + ":" + std::to_string(number)});
  }
}

struct Texts::Batch {
  struct Item {
    std::size_t begin, end;
    Where where;
  };
  std::string text;
  std::vector<Item> items;
  std::size_t weight = 0;

  void look(const Desk& desk) const {
    for (auto& hit : desk.scanner.scan(view_of(text), desk.subject(""))) {
      auto item = std::upper_bound(items.begin(), items.end(), hit.begin,
                                   [](std::uint64_t at, const Item& one) { return at < one.begin; });
      if (item == items.begin()) continue;
      --item;
      hit.begin -= item->begin;
      hit.end = std::min<std::uint64_t>(hit.end, item->end) - item->begin;
      hit.line = 0;
      item->where.add(std::move(hit));
    }
    for (const auto& item : items)
      if (item.where.kind == Location::Kind::name)
        for (auto& hit : desk.scanner.scan_name(item.where.name())) item.where.add(std::move(hit));
  }
};

void Texts::add(const Where& where, std::string_view text) {
  static constexpr std::size_t apart = 128, most = std::size_t{256} << 10;
  if (text.empty()) return;
  if (!batch_) batch_ = std::make_shared<Batch>();
  const std::size_t begin = batch_->text.size();
  batch_->text += text;
  batch_->items.push_back({begin, batch_->text.size(), where});
  batch_->text.append(apart, '\n');
  batch_->weight += text.size() + apart + 256;
  if (batch_->weight >= most) flush();
}

void Texts::flush() {
  if (!batch_) return;
  const std::size_t weight = batch_->weight;
  desk_.pool.submit(weight, [&desk = desk_, batch = std::exchange(batch_, nullptr)] { batch->look(desk); });
}

}  // namespace imgbuild
