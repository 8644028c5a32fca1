#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace imgbuild {

/// The rules of a .dockerignore file. Immutable once read; any thread.
class DockerIgnore {
 public:
  DockerIgnore() = default;  ///< ignores nothing
  /// Reads the file's text; throws usage Error "FILE: line N: why" on a pattern that docker refuses too.
  static DockerIgnore parse(std::string_view text, const std::string& file = ".dockerignore");

  /// Which patterns matched a directory: what the verdict on its content starts from.
  using Matched = std::vector<bool>;

  /// Is `path` (relative, '/' between names) left out? `parent`: what `self` was for the folder that holds it; empty at
  /// the top. `self` receives the same for the path's own content.
  bool ignores(std::string_view path, const Matched& parent, Matched& self) const;
  /// The same without a walk: parents are looked at one by one.
  bool ignores(std::string_view path) const;

  /// Can anything below an ignored folder be let in again by a `!` pattern?
  bool may_return_below(std::string_view folder) const;

 private:
  // What a pattern is made of. Characters are Unicode's, a byte that is not UTF-8 stands for U+FFFD, as in Go.
  struct Element {
    enum class Kind { one, any, set, star, folders, rest };
    Kind kind;
    char32_t character = 0;                               // one
    bool negated = false;                                 // set
    std::vector<std::pair<char32_t, char32_t>> ranges{};  // set
  };
  struct Pattern {
    enum class Kind { exact, prefix, suffix, elements };
    Kind kind = Kind::exact;
    bool exception = false;
    std::string text;  // exact, prefix, suffix: what to compare
    std::vector<Element> elements;
    std::string ending;     // elements: bytes that every match ends with
    std::string beginning;  // exception: bytes that every match begins with
    bool matches(std::string_view path) const;
  };
  static Pattern compile(std::string_view cleaned);
  std::vector<Pattern> patterns_;
};

}  // namespace imgbuild
