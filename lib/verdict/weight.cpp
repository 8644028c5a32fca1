#include "verdict/weight.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/text.hpp"

namespace imgbuild {

std::vector<std::string> too_large(const ImageRecord& record, std::uint64_t most) {
  constexpr std::size_t told = 5;
  if (most == 0 || record.coverage.bytes <= most) return {};
  std::vector<std::string> lines{"it weighs " + human_size(record.coverage.bytes) + ", more than " + human_size(most)};
  std::vector<const LayerFacts*> layers;
  std::vector<std::pair<std::uint64_t, std::string>> files;
  for (const LayerFacts& layer : record.layers) {
    layers.push_back(&layer);
    for (const auto& [path, bytes] : layer.largest)
      files.emplace_back(bytes, "layer " + std::to_string(layer.index) + ": " + path);
  }
  std::stable_sort(layers.begin(), layers.end(), [](auto* a, auto* b) { return a->bytes > b->bytes; });
  std::stable_sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  for (std::size_t i = 0; i < std::min(told, layers.size()); ++i)
    lines.push_back("layer " + std::to_string(layers[i]->index) + ": " + human_size(layers[i]->bytes) +
                    (static_cast<std::size_t>(layers[i]->index) < record.base_layers ? ", of " + record.base : "") +
                    (layers[i]->hidden > 0 ? ", " + human_size(layers[i]->hidden) + " of it hidden" : ""));
  for (std::size_t i = 0; i < std::min(told, files.size()); ++i)
    lines.push_back(files[i].second + " (" + human_size(files[i].first) + ")");
  return lines;
}

std::optional<std::uint64_t> size_of_text(std::string_view text) {
  static const std::map<std::string, double> units{{"", 1},           {"k", 1e3},           {"m", 1e6},
                                                   {"g", 1e9},        {"t", 1e12},          {"ki", 1024.0},
                                                   {"mi", 1048576.0}, {"gi", 1073741824.0}, {"ti", 1099511627776.0}};
  text = trim(text);
  const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  const std::string number(text.substr(0, digits));
  std::string unit = lower(trim(text.substr(digits)));
  if (unit.ends_with('b')) unit.pop_back();
  if (number.empty() || number.size() > 20 || number.front() == '.' || number.back() == '.' ||
      std::count(number.begin(), number.end(), '.') > 1 || !units.contains(unit))
    return std::nullopt;
  double value = 0, part = 1;
  bool behind = false;
  for (const char c : number) {
    if (c == '.') {
      behind = true;
    } else if (behind) {
      value += (c - '0') * (part /= 10);
    } else {
      value = value * 10 + (c - '0');
    }
  }
  value = std::round(value * units.at(unit));
  if (value >= 9.2e18) return std::nullopt;
  return static_cast<std::uint64_t>(value);
}

}  // namespace imgbuild
