#include "output_flags.hpp"

#include <algorithm>

namespace imgbuild {

void OutputFlags::offer(CLI::App& app) {
  add_several(
      app, "-o,--output", said, "WHERE",
      "write what was cleared: DIR, - (a tar), or type=local|tar|docker|oci|image|registry|cacheonly,dest=PATH");
  app.add_flag("--push", push, "then send it to the registries that its names say");
  app.add_flag("--load", load, "it is in the engine in any case; for those who are used to say so");
}

std::vector<Output> OutputFlags::outputs() const {
  std::vector<Output> all;
  for (const auto& one : said) all.push_back(parse_output(one));
  check_outputs(all);
  return all;
}

std::vector<std::string> names_of(const std::vector<Output>& outputs) {
  std::vector<std::string> names;
  for (const Output& output : outputs)
    if (!output.writes()) names.insert(names.end(), output.names.begin(), output.names.end());
  return names;
}

bool stays(const std::vector<Output>& outputs, const OutputFlags& flags) {
  return outputs.empty() || flags.push || flags.load ||
         std::any_of(outputs.begin(), outputs.end(),
                     [](const Output& output) { return output.kind == Output::Kind::engine; });
}

std::vector<std::string> pushed_names(const std::vector<Output>& outputs, bool push,
                                      const std::vector<std::string>& names) {
  std::vector<std::string> pushed;
  const auto add = [&](const std::vector<std::string>& some) {
    for (const auto& name : some)
      if (std::find(pushed.begin(), pushed.end(), name) == pushed.end()) pushed.push_back(name);
  };
  if (push) add(names);
  for (const Output& output : outputs)
    if (output.push) add(output.names.empty() ? names : output.names);
  return pushed;
}

std::vector<std::string> describe(const std::vector<Output>& outputs) {
  std::vector<std::string> lines;
  for (const Output& output : outputs)
    if (output.writes()) lines.push_back("write " + output.shown());
  return lines;
}

bool take_stdout(const std::vector<Output>& outputs) {
  return std::any_of(outputs.begin(), outputs.end(), [](const Output& output) { return output.dest == "-"; });
}

}  // namespace imgbuild
