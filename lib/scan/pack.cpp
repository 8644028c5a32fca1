// Rules and their plan as the rule compiler leaves them in the program, so that starting it reads no TOML and takes no
// pattern apart. One function per type says what it consists of, for both ways. The shapes, two kilobytes each, are
// used where they lie: they come first, and pages that no file needs are never read.
#include "scan/pack.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "base/error.hpp"
#include "crypto/digest.hpp"
#include "scan/except.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t line = 64;
static_assert(std::has_unique_object_representations_v<WayShape>);

class Packer {
 public:
  template <class T>
  void plain(T& value) {
    static_assert(std::is_scalar_v<T>);
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  std::size_t count(std::size_t size) {
    auto number = static_cast<std::uint32_t>(size);
    plain(number);
    return size;
  }
  void bytes(char* data, std::size_t size) { out.append(data, size); }

  std::string out;
};

class Unpacker {
 public:
  explicit Unpacker(std::string_view all) : rest(all) {}
  template <class T>
  void plain(T& value) {
    static_assert(std::is_scalar_v<T>);
    bytes(reinterpret_cast<char*>(&value), sizeof value);
  }
  std::size_t count(std::size_t) {
    std::uint32_t number = 0;
    plain(number);
    return number;
  }
  void bytes(char* data, std::size_t size) {
    if (size > 0) std::memcpy(data, rest.data(), size);
    rest.remove_prefix(size);
  }

  std::string_view rest;
};

template <class Archive>
void walk(Archive& archive, std::string& text) {
  text.resize(archive.count(text.size()));
  archive.bytes(text.data(), text.size());
}

template <class Archive>
void walk(Archive& archive, ByteSet& set) {
  static_assert(std::is_trivially_copyable_v<ByteSet>);
  archive.bytes(reinterpret_cast<char*>(&set), sizeof set);
}

template <class Archive>
void walk(Archive& archive, Words::Choice& choice) {
  archive.plain(choice.even);
  archive.plain(choice.odd);
  archive.plain(choice.group);
}

template <class Archive>
void walk(Archive& archive, Anchor& anchor) {
  for (auto* number : {&anchor.pattern, &anchor.shape, &anchor.before_min, &anchor.before_max}) archive.plain(*number);
  archive.plain(anchor.kind);
  archive.plain(anchor.boundary);
  archive.plain(anchor.known);
}

template <class Archive, class T>
void walk(Archive& archive, std::vector<T>& list) {
  list.resize(archive.count(list.size()));
  for (auto& item : list)
    if constexpr (std::is_arithmetic_v<T>)
      archive.plain(item);
    else
      walk(archive, item);
}

template <class Archive>
void walk(Archive& archive, PlannedPattern& pattern) {
  archive.plain(pattern.rule);
  archive.plain(pattern.text);
  archive.plain(pattern.width);
  archive.plain(pattern.everywhere);
  walk(archive, pattern.shapes);
  walk(archive, pattern.first);
}

template <class Archive>
void walk(Archive& archive, Rule& rule) {
  for (auto* text : {&rule.id, &rule.says, &rule.proof, &rule.rotate, &rule.fix, &rule.family}) walk(archive, *text);
  for (auto* list : {&rule.see, &rule.text, &rule.path, &rule.near, &rule.leak, &rule.safe}) walk(archive, *list);
  archive.plain(rule.entropy);
  archive.plain(rule.scrub);
  archive.plain(rule.severity);
}

template <class Archive>
void walk(Archive& archive, Knowledge& knowledge) {
  walk(archive, knowledge.digest);
  walk(archive, knowledge.plan.words);
  walk(archive, knowledge.plan.choices);
  walk(archive, knowledge.plan.first_anchor);
  walk(archive, knowledge.plan.anchors);
  walk(archive, knowledge.plan.patterns);
  walk(archive, knowledge.rules);
}

std::string digest_of(const std::vector<Rule>& rules) {
  std::string all;
  const auto add = [&all](std::string_view text) {
    all += std::to_string(text.size()) + ':';
    all += text;
  };
  for (const auto& rule : rules) {
    add(rule.id);
    for (const auto* list : {&rule.text, &rule.path, &rule.near}) {
      add(std::to_string(list->size()));
      for (const auto& text : *list) add(text);
    }
    add(std::to_string(rule.entropy));
    add(rule.proof);
    add(name_of(rule.severity));
    add(std::to_string(static_cast<int>(rule.scrub)));
    for (const auto* text : {&rule.says, &rule.rotate, &rule.fix}) add(*text);
    if (rule.except) add(rule.except->text());
  }
  return sha256_digest(view_of(all));
}

}  // namespace

Knowledge Knowledge::of(std::vector<Rule> rules) {
  std::sort(rules.begin(), rules.end(), [](const Rule& a, const Rule& b) { return a.id < b.id; });
  for (std::size_t i = 1; i < rules.size(); ++i)
    if (rules[i].id == rules[i - 1].id) throw usage_error("two rules are called " + rules[i].id);
  Knowledge knowledge;
  knowledge.rules = std::move(rules);
  knowledge.plan = ScanPlan(knowledge.rules);
  knowledge.digest = digest_of(knowledge.rules);
  return knowledge;
}

std::string packed(const Knowledge& knowledge) {
  Packer packer;
  const auto shapes = knowledge.plan.shapes;
  packer.count(shapes.size());
  packer.out.resize(line, '\0');
  packer.out.append(reinterpret_cast<const char*>(shapes.data()), shapes.size_bytes());
  walk(packer, const_cast<Knowledge&>(knowledge));  // NOLINT: a Packer changes nothing
  return packer.out;
}

Knowledge unpacked(std::string_view bytes) {
  Knowledge knowledge;
  Unpacker unpacker(bytes);
  const std::size_t count = unpacker.count(0);
  knowledge.plan.shapes = {reinterpret_cast<const WayShape*>(bytes.data() + line), count};
  unpacker.rest = bytes.substr(line + knowledge.plan.shapes.size_bytes());
  walk(unpacker, knowledge);
  return knowledge;
}

}  // namespace imgbuild
