#pragma once
#include <string>
#include <vector>

#include "dockerfile/dockerfile.hpp"
#include "verdict/verdict.hpp"

namespace imgbuild {

/// Finds the lines of a Dockerfile that the parts of an image come from. Holds pointers into the Dockerfile.
class Origins {
 public:
  /// `history`: created_by of each line of the image's history, oldest first, and whether it made no layer.
  struct Line {
    std::string created_by;
    bool empty_layer = false;
  };
  Origins(const Dockerfile& file, const std::string& target, const std::vector<Line>& history);

  /// The instruction that brought this in; null where it came with the base, or it cannot be told.
  const DockerInstruction* of(const Location& place) const;

 private:
  const DockerInstruction* last(std::string_view name, std::string_view variable) const;

  std::vector<const DockerInstruction*> chain_;
  std::vector<const DockerInstruction*> by_line_;   // of each history line
  std::vector<const DockerInstruction*> by_layer_;  // of each layer
};

}  // namespace imgbuild
