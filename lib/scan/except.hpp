#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace imgbuild {

/// Where a rule is not meant to find anything, as gitleaks' files say it: its `path`, and its and the file's
/// allowlists. Const once made; any thread. Room-internal.
class Exceptions {
 public:
  enum class Target { secret, match, line };
  struct Allowed {
    std::vector<std::string> paths, regexes;  ///< RE2, found anywhere in their text
    std::vector<std::string> stopwords;       ///< in the secret, in whatever case
    Target target = Target::secret;           ///< of `regexes`
    bool all = false;                         ///< every kind that is there must fit; else one is enough
  };
  /// `path`: where the rule looks at all, a pattern; empty: everywhere. Throws Error on a pattern that RE2 refuses.
  Exceptions(const std::string& path, const std::vector<Allowed>& allowed);
  ~Exceptions();

  bool excuse(std::string_view secret, std::string_view match, std::string_view line, std::string_view path) const;
  /// Is this file out of the rule's sight, whatever is in it?
  bool excuse_path(std::string_view path) const;
  /// All of it as text, for a digest.
  const std::string& text() const { return text_; }

 private:
  using Pattern = std::unique_ptr<const re2::RE2>;
  struct Compiled {
    std::vector<Pattern> paths, regexes;
    std::vector<std::string> stopwords;
    Target target;
    bool all;
  };
  Pattern path_;
  std::vector<Compiled> allowed_;
  std::string text_;
};

}  // namespace imgbuild
