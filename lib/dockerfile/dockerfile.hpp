#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// A Dockerfile, read as BuildKit's own front end reads it (docs.docker.com/reference/dockerfile). Reading it judges
/// nothing: what is no Dockerfile is for the builder to refuse, in its own words.
namespace imgbuild {

/// One instruction, with its lines joined: continuations, and the comments among them, are gone.
struct DockerInstruction {
  struct Heredoc {
    std::string name, content;
    bool expands = true;  ///< the name was not quoted
  };
  std::string name;  ///< in upper case: "RUN"
  std::uint32_t line = 0, last_line = 0;
  std::vector<std::pair<std::string, std::string>> flags;  ///< {"mount", "type=ssh"}; of "--name" alone an empty value
  std::string text;                                        ///< what stands behind name and flags
  std::optional<std::vector<std::string>> words;           ///< where it is a JSON array of strings
  std::vector<Heredoc> heredocs;
  std::vector<DockerInstruction> inner;  ///< of ONBUILD: the one that it keeps

  /// The value of the first such flag; empty where there is none.
  std::string flag(std::string_view name) const;
  /// What a shell is given: the text, or the words, and the heredocs behind it.
  std::string command() const;
  /// COPY and ADD: sources and, last, the destination. Quotes are taken away.
  std::vector<std::string> paths() const;
  /// ENV, ARG, LABEL: names and values, quotes taken away; an ARG without a value has none.
  std::vector<std::pair<std::string, std::string>> pairs() const;
  /// "RUN make": for messages; the bytes of the file, cut where it is long.
  std::string shown() const;
};

struct DockerStage {
  std::string name, base;  ///< as they are written; the name in lower case, empty where it has none
  std::uint32_t line = 0;
  std::size_t first = 0, end = 0;  ///< its instructions behind FROM: [first, end)
};

struct Dockerfile {
  std::string syntax;  ///< of the `# syntax=` directive
  char escape = '\\';
  std::vector<DockerInstruction> instructions;  ///< FROM among them
  std::vector<DockerStage> stages;

  /// The instructions that `target` (a stage's name or number; empty: the last) is made by, those of the stages that it
  /// stands on first. Empty where there is no such stage.
  std::vector<const DockerInstruction*> chain(const std::string& target) const;
  /// The stage that `target` says; null where there is none.
  const DockerStage* stage(const std::string& target) const;
  /// What the chain of `target` stands on in the end: an image's name as it is written.
  std::string base(const std::string& target) const;
};

/// Reads any bytes.
Dockerfile parse_dockerfile(std::string_view text);

/// Splits as a shell would, at blanks that no quote holds; quotes and the escape go, variables stay as they are
/// written.
std::vector<std::string> shell_words(std::string_view text, char escape = '\\');

}  // namespace imgbuild
