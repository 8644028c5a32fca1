#include "audit/document.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "audit/embedded.hpp"
#include "base/text.hpp"

namespace imgbuild {
namespace {

using Json = nlohmann::ordered_json;
using Kind = Location::Kind;

class Walk {
 public:
  Walk(const Desk& desk, Sightings& record, std::string name) : record_(record), name_(std::move(name)), texts_(desk) {}

  void value(const Json& json, const std::string& at, const std::string& key, Kind kind, int depth) {
    if (depth > most_depth) return;  // the text as a whole is looked at too
    if (json.is_object()) {
      for (const auto& [name, below] : json.items()) {
        const std::string place = at.empty() ? name : at + "." + name;
        value(below, place, name,
              name == "Labels"        ? Kind::label
              : name == "annotations" ? Kind::annotation
                                      : kind,
              depth + 1);
      }
    } else if (json.is_array() && is_command(key, json)) {
      std::string words;  // a flag says what the word behind it is
      for (const auto& word : json) words += (words.empty() ? "" : " ") + word.get<std::string>();
      text(kind, at, key + "=" + words);
    } else if (json.is_array()) {
      for (std::size_t i = 0; i < json.size(); ++i) {
        const std::string place = at + "[" + std::to_string(i) + "]";
        if (key == "Env" && json[i].is_string())
          variable(json[i].get<std::string>(), at, place);
        else
          value(json[i], place, key, kind, depth + 1);
      }
    } else if (json.is_string()) {
      // With its key, which tells many a rule what it looks at.
      text(kind, at, key.empty() ? json.get<std::string>() : key + "=" + json.get<std::string>());
    }
  }

  void flush() { texts_.flush(); }

 private:
  static constexpr int most_depth = 200;

  static bool is_command(const std::string& key, const Json& words) {
    return (key == "Cmd" || key == "Entrypoint" || key == "Test" || key == "Shell") &&
           std::all_of(words.begin(), words.end(), [](const Json& word) { return word.is_string(); });
  }

  void variable(const std::string& setting, const std::string& at, const std::string& place) {
    const std::size_t equals = setting.find('=');
    text(Kind::env, equals == std::string::npos ? place : at + "." + setting.substr(0, equals), setting);
  }

  void text(Kind kind, std::string at, const std::string& content) {
    if (name_.empty()) {  // an image config: "config." goes without saying
      if (at.starts_with("config.")) at.erase(0, 7);
      if (kind == Kind::config && at.starts_with("history[")) kind = Kind::history;
    } else {
      at = name_ + ":" + at;
    }
    Where where;
    where.record = &record_;
    where.kind = kind;
    where.path = std::move(at);
    texts_.add(where, content);
  }

  Sightings& record_;
  std::string name_;
  Texts texts_;
};

}  // namespace

void look_at_document(const Desk& desk, Sightings& record, Location::Kind kind, const std::string& name,
                      const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_discarded()) {
    Walk walk(desk, record, name);
    walk.value(json, "", "", kind, 0);
    walk.flush();
  }
  Where whole;
  whole.record = &record;
  whole.kind = kind;
  whole.path = name.empty() ? "config" : name;
  whole.whole_document = true;
  look_at_embedded(desk, whole, view_of(text));
  desk.scan(view_of(text), whole);
}

}  // namespace imgbuild
