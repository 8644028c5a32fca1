// A builder writes one history line for each instruction of the stages that the image is made by, in their order,
// behind the lines of the base and of its ONBUILD triggers. So both are walked from their ends, as long as they agree
// in what kind of instruction each is. An ARG may have a line or none, by builder and version; a label given on the
// command line may have one of its own.
#include "dockerfile/origin.hpp"

#include <algorithm>
#include <charconv>

#include "base/text.hpp"

namespace imgbuild {
namespace {

// What kind of instruction a history line tells: "RUN /bin/sh -c make # buildkit", "/bin/sh -c #(nop)  ENV A=b",
// "|1 A=b /bin/sh -c make", "/bin/sh -c make".
std::string kind_of(std::string_view created_by) {
  static constexpr std::string_view silent = "#(nop)";
  std::string_view rest = trim(created_by);
  if (const auto at = rest.find(silent); at != std::string_view::npos) rest = trim(rest.substr(at + silent.size()));
  std::string word(rest.substr(0, rest.find_first_of(" \t")));
  const bool instruction =
      !word.empty() && std::all_of(word.begin(), word.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  return instruction ? word : "RUN";
}

std::string_view kind_of(const DockerInstruction& instruction) {
  return instruction.name == "MAINTAINER" ? std::string_view("MAINTAINER") : std::string_view(instruction.name);
}

}  // namespace

Origins::Origins(const Dockerfile& file, const std::string& target, const std::vector<Line>& history)
    : chain_(file.chain(target)), by_line_(history.size(), nullptr) {
  std::size_t line = history.size(), at = chain_.size();
  while (line > 0 && at > 0) {
    const std::string told = kind_of(history[line - 1].created_by);
    if (told == kind_of(*chain_[at - 1]))
      by_line_[--line] = chain_[--at];
    else if (chain_[at - 1]->name == "ARG")
      --at;
    else if (told == "LABEL")
      --line;
    else
      break;
  }
  for (std::size_t i = 0; i < history.size(); ++i)
    if (!history[i].empty_layer) by_layer_.push_back(by_line_[i]);
}

const DockerInstruction* Origins::last(std::string_view name, std::string_view variable) const {
  for (auto at = chain_.rbegin(); at != chain_.rend(); ++at) {
    if ((*at)->name != name) continue;
    if (variable.empty()) return *at;
    for (const auto& [key, value] : (*at)->pairs())
      if (key == variable) return *at;
  }
  return nullptr;
}

const DockerInstruction* Origins::of(const Location& place) const {
  if (place.layer >= 0)
    return static_cast<std::size_t>(place.layer) < by_layer_.size() ? by_layer_[static_cast<std::size_t>(place.layer)]
                                                                    : nullptr;
  const std::string_view path = place.path;
  if (path.starts_with("history[")) {
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(path.data() + 8, path.data() + path.size(), index);
    return error == std::errc() && index < by_line_.size() ? by_line_[index] : nullptr;
  }
  const auto dot = path.find('.');
  const std::string_view key = path.substr(0, dot);
  const std::string_view rest = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  if (key == "Env") return last("ENV", rest);
  if (key == "Labels") return last("LABEL", rest);
  static constexpr std::pair<std::string_view, std::string_view> plain[] = {{"Cmd", "CMD"},
                                                                            {"Entrypoint", "ENTRYPOINT"},
                                                                            {"Healthcheck", "HEALTHCHECK"},
                                                                            {"OnBuild", "ONBUILD"},
                                                                            {"User", "USER"},
                                                                            {"WorkingDir", "WORKDIR"},
                                                                            {"Shell", "SHELL"}};
  for (const auto& [config, instruction] : plain)
    if (key.substr(0, key.find('[')) == config) return last(instruction, {});
  return nullptr;
}

}  // namespace imgbuild
