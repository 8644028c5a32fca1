#include "scan/except.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "scan/regex.hpp"

namespace imgbuild {
namespace {

bool found(const std::vector<std::unique_ptr<const re2::RE2>>& patterns, std::string_view text) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const auto& pattern) {
    return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *pattern);
  });
}

}  // namespace

Exceptions::Exceptions(const std::string& path, const std::vector<Allowed>& allowed) {
  const auto add = [this](std::string_view text) {
    text_ += std::to_string(text.size()) + ':';
    text_ += text;
  };
  if (!path.empty()) path_ = compiled_regex(path);
  add(path);
  for (const auto& from : allowed) {
    Compiled made{{}, {}, {}, from.target, from.all};
    for (const auto& pattern : from.paths) made.paths.push_back(compiled_regex(pattern));
    for (const auto& pattern : from.regexes) made.regexes.push_back(compiled_regex(pattern));
    for (const auto& word : from.stopwords) made.stopwords.push_back(lower(word));
    for (const auto* list : {&from.paths, &from.regexes, &from.stopwords}) {
      add(std::to_string(list->size()));
      for (const auto& text : *list) add(text);
    }
    add(std::to_string(static_cast<int>(from.target)) + (from.all ? "&" : "|"));
    allowed_.push_back(std::move(made));
  }
}

Exceptions::~Exceptions() = default;

bool Exceptions::excuse_path(std::string_view path) const {
  if (path_ && !RE2::PartialMatch(re2::StringPiece(path.data(), path.size()), *path_)) return true;
  return std::any_of(allowed_.begin(), allowed_.end(), [&](const Compiled& list) {
    const bool alone = !list.all || (list.regexes.empty() && list.stopwords.empty());
    return alone && found(list.paths, path);
  });
}

bool Exceptions::excuse(std::string_view secret, std::string_view match, std::string_view line,
                        std::string_view path) const {
  if (excuse_path(path)) return true;
  const std::string small = lower(secret);
  return std::any_of(allowed_.begin(), allowed_.end(), [&](const Compiled& list) {
    const std::string_view target = list.target == Target::secret  ? secret
                                    : list.target == Target::match ? match
                                                                   : line;
    const bool said = found(list.regexes, target);
    const bool stopped = std::any_of(list.stopwords.begin(), list.stopwords.end(),
                                     [&](const std::string& word) { return small.find(word) != std::string::npos; });
    if (!list.all) return said || stopped;
    if (list.paths.empty() && list.regexes.empty() && list.stopwords.empty()) return false;
    return (list.paths.empty() || found(list.paths, path)) && (list.regexes.empty() || said) &&
           (list.stopwords.empty() || stopped);
  });
}

}  // namespace imgbuild
