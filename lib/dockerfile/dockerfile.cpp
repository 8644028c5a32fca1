// Reading a Dockerfile. Three things make it less than trivial: directives, which only count before anything else and
// may change the escape character; continuations, within which comments and empty lines vanish; and heredocs, whose
// lines are read as they stand, so that nothing in them is a comment, a continuation or an instruction.
#include "dockerfile/dockerfile.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "image/json.hpp"

namespace imgbuild {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f'; }

std::string_view trim_left(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  return text;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

// "# name = value" of a directive; the name in lower case.
std::optional<std::pair<std::string, std::string>> directive_in(std::string_view line) {
  line = trim_left(line);
  if (!line.starts_with('#')) return std::nullopt;
  const auto equals = line.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  const std::string name = lower(trim(line.substr(1, equals - 1)));
  const bool word = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  const std::string_view value = trim(line.substr(equals + 1));
  if (!word || value.empty()) return std::nullopt;
  return std::pair(name, std::string(value));
}

// Does the line go on? Then it ends where the escape stands.
bool takes_more(std::string_view& line, char escape) {
  std::string_view rest = line;
  while (!rest.empty() && is_blank(rest.back())) rest.remove_suffix(1);
  if (rest.empty() || rest.back() != escape) return false;
  rest.remove_suffix(1);
  if (!rest.empty() && rest.back() == escape) return false;
  line = rest;
  return true;
}

struct Mark {
  std::string name;
  bool strips = false, expands = true;
};

// The heredocs that an instruction's line announces: words that begin with `<<`, or with a descriptor's number and it.
std::vector<Mark> heredoc_marks(std::string_view text) {
  std::vector<Mark> marks;
  char quote = 0;
  bool at_word = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == '\\' && quote == '"') ++i;
      if (c == quote) quote = 0;
      continue;
    }
    if (at_word) {
      std::size_t at = i;
      while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
      if (text.substr(at).starts_with("<<") && !text.substr(at).starts_with("<<<")) {
        Mark mark;
        at += 2;
        if (at < text.size() && text[at] == '-') {
          mark.strips = true;
          ++at;
        }
        while (at < text.size() && !is_blank(text[at]) && text[at] != ';' && text[at] != '|' && text[at] != '>' &&
               text[at] != '<' && text[at] != '&' && text[at] != ')') {
          if (text[at] == '"' || text[at] == '\'' || text[at] == '\\')
            mark.expands = false;
          else
            mark.name += text[at];
          ++at;
        }
        if (!mark.name.empty()) marks.push_back(mark);
        i = at == 0 ? 0 : at - 1;
        at_word = false;
        continue;
      }
    }
    if (c == '"' || c == '\'') quote = c;
    at_word = is_blank(c);
  }
  return marks;
}

class Reader {
 public:
  explicit Reader(std::string_view text) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    while (!text.empty()) {
      const auto end = text.find('\n');
      std::string_view line = text.substr(0, end);
      if (line.ends_with('\r')) line.remove_suffix(1);
      lines_.push_back(line);
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
  }

  Dockerfile read() {
    directives();
    while (at_ < lines_.size()) {
      const std::string_view line = trim_left(lines_[at_]);
      if (line.empty() || line.front() == '#') {
        ++at_;
        continue;
      }
      instruction();
    }
    if (!file_.stages.empty()) file_.stages.back().end = file_.instructions.size();
    return std::move(file_);
  }

 private:
  void directives() {
    // They are comments as well: read again, and passed over, with the rest.
    for (const std::string_view line : lines_) {
      const auto directive = directive_in(line);
      if (!directive) return;
      if (directive->first == "syntax") file_.syntax = directive->second;
      if (directive->first == "escape" && (directive->second == "\\" || directive->second == "`"))
        file_.escape = directive->second.front();
    }
  }

  void instruction() {
    const auto first = static_cast<std::uint32_t>(at_ + 1);
    std::string text;
    bool more = true;
    for (bool begun = false; more && at_ < lines_.size(); ++at_) {
      std::string_view line = begun ? lines_[at_] : trim_left(lines_[at_]);
      const std::string_view seen = trim_left(line);
      if (begun && (seen.empty() || seen.front() == '#')) continue;
      begun = true;
      more = takes_more(line, file_.escape);
      text += line;
    }
    DockerInstruction made = taken_apart(text);
    made.line = first;
    heredocs(made);
    made.last_line = static_cast<std::uint32_t>(at_);
    for (auto& inner : made.inner) {
      inner.line = first;
      inner.last_line = made.last_line;
      inner.heredocs = made.heredocs;
    }
    if (made.name == "FROM") stage(made);
    file_.instructions.push_back(std::move(made));
    if (file_.instructions.back().name == "FROM") file_.stages.back().first = file_.instructions.size();
  }

  DockerInstruction taken_apart(std::string_view text) const {
    DockerInstruction made;
    text = trim(text);
    const auto blank = std::find_if(text.begin(), text.end(), is_blank);
    const auto size = static_cast<std::size_t>(blank - text.begin());
    made.name = upper(text.substr(0, size));
    text = trim(text.substr(size));
    if (made.name == "ONBUILD") {
      if (!text.empty()) made.inner.push_back(taken_apart_once(text));
      made.text = text;
      return made;
    }
    take_flags(made, text);
    made.text = text;
    if (text.starts_with('[')) {
      const Json json = Json::parse(text, nullptr, false);
      const bool texts =
          json.is_array() && std::all_of(json.begin(), json.end(), [](const Json& one) { return one.is_string(); });
      if (texts) made.words = texts_of(json);
    }
    return made;
  }

  // An ONBUILD within an ONBUILD is refused by every builder, and not gone into.
  DockerInstruction taken_apart_once(std::string_view text) const {
    if (!upper(text.substr(0, 8)).starts_with("ONBUILD")) return taken_apart(text);
    DockerInstruction made;
    made.name = "ONBUILD";
    made.text = text;
    return made;
  }

  void take_flags(DockerInstruction& made, std::string_view& text) const {
    static constexpr std::string_view with_flags[] = {"FROM", "RUN", "COPY", "ADD", "HEALTHCHECK"};
    if (std::find(std::begin(with_flags), std::end(with_flags), made.name) == std::end(with_flags)) return;
    while (text.starts_with("--")) {
      char quote = 0;
      std::size_t end = 0;
      std::string word;
      for (; end < text.size() && (quote != 0 || !is_blank(text[end])); ++end) {
        const char c = text[end];
        if (quote == 0 && (c == '"' || c == '\'')) {
          quote = c;
        } else if (c == quote) {
          quote = 0;
        } else {
          word += c;
        }
      }
      text = trim_left(text.substr(end));
      if (word == "--") return;
      const auto equals = word.find('=');
      made.flags.emplace_back(lower(word.substr(2, equals == std::string::npos ? equals : equals - 2)),
                              equals == std::string::npos ? "" : word.substr(equals + 1));
    }
  }

  // One whose end does not come is none: builders before heredocs gave such a line to the shell.
  void heredocs(DockerInstruction& made) {
    const DockerInstruction& real = made.inner.empty() ? made : made.inner.front();
    if (real.words || (real.name != "RUN" && real.name != "COPY" && real.name != "ADD")) return;
    for (const Mark& mark : heredoc_marks(real.text)) {
      DockerInstruction::Heredoc heredoc{mark.name, {}, mark.expands};
      for (std::size_t at = at_;; ++at) {
        if (at == lines_.size()) return;
        std::string_view line = lines_[at];
        while (mark.strips && line.starts_with('\t')) line.remove_prefix(1);
        if (line == mark.name) {
          at_ = at + 1;
          break;
        }
        heredoc.content += std::string(line) + "\n";
      }
      made.heredocs.push_back(std::move(heredoc));
    }
  }

  void stage(const DockerInstruction& from) {
    if (!file_.stages.empty()) file_.stages.back().end = file_.instructions.size();
    DockerStage stage;
    stage.line = from.line;
    const auto words = shell_words(from.text, file_.escape);
    if (!words.empty()) stage.base = words[0];
    if (words.size() >= 3 && lower(words[1]) == "as") stage.name = lower(words[2]);
    file_.stages.push_back(std::move(stage));
  }

  std::vector<std::string_view> lines_;
  std::size_t at_ = 0;
  Dockerfile file_;
};

}  // namespace

std::vector<std::string> shell_words(std::string_view text, char escape) {
  std::vector<std::string> words;
  std::string word;
  bool open = false;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == 0 && (is_blank(c) || c == '\n')) {
      if (open) words.push_back(std::exchange(word, {}));
      open = false;
      continue;
    }
    open = true;
    if (c == escape && quote != '\'' && i + 1 < text.size()) {
      word += text[++i];
    } else if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
    } else if (c == quote) {
      quote = 0;
    } else {
      word += c;
    }
  }
  if (open) words.push_back(word);
  return words;
}

std::string DockerInstruction::flag(std::string_view wanted) const {
  for (const auto& [name_of_flag, value] : flags)
    if (name_of_flag == wanted) return value;
  return {};
}

std::string DockerInstruction::command() const {
  std::string all = words ? join(*words, " ") : text;
  for (const auto& heredoc : heredocs) all += "\n" + heredoc.content;
  return all;
}

std::vector<std::string> DockerInstruction::paths() const { return words ? *words : shell_words(text); }

std::vector<std::pair<std::string, std::string>> DockerInstruction::pairs() const {
  std::vector<std::pair<std::string, std::string>> all;
  const auto said = shell_words(text);
  // The old form: ENV NAME the rest of the line.
  if (name != "ARG" && !said.empty() && said[0].find('=') == std::string::npos) {
    const auto blank = std::find_if(text.begin(), text.end(), is_blank);
    all.emplace_back(said[0], trim(std::string_view(text).substr(static_cast<std::size_t>(blank - text.begin()))));
    return all;
  }
  for (const auto& word : said) {
    const auto equals = word.find('=');
    all.emplace_back(word.substr(0, equals), equals == std::string::npos ? "" : word.substr(equals + 1));
  }
  return all;
}

std::string DockerInstruction::shown() const {
  constexpr std::size_t most = 80;
  std::string all = name + " ";
  for (const auto& [flag_name, value] : flags) all += "--" + flag_name + (value.empty() ? "" : "=" + value) + " ";
  all += text;
  if (all.size() <= most) return all;
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(all[end]) & 0xC0) == 0x80) --end;
  return all.substr(0, end) + "...";
}

const DockerStage* Dockerfile::stage(const std::string& target) const {
  if (stages.empty()) return nullptr;
  if (target.empty()) return &stages.back();
  for (const auto& each : stages)
    if (!each.name.empty() && each.name == lower(target)) return &each;
  if (target.size() > 6 || target.find_first_not_of("0123456789") != std::string::npos) return nullptr;
  const std::size_t number = std::stoul(target);
  return number < stages.size() ? &stages[number] : nullptr;
}

std::vector<const DockerInstruction*> Dockerfile::chain(const std::string& target) const {
  std::vector<const DockerInstruction*> all;
  const DockerStage* at = stage(target);
  while (at != nullptr) {
    std::vector<const DockerInstruction*> own;
    for (std::size_t i = at->first; i < at->end; ++i) own.push_back(&instructions[i]);
    all.insert(all.begin(), own.begin(), own.end());
    const DockerStage* below = nullptr;
    for (const DockerStage* each = stages.data(); each != at; ++each)
      if (!each->name.empty() && each->name == lower(at->base)) below = each;
    at = below;
  }
  return all;
}

std::string Dockerfile::base(const std::string& target) const {
  const DockerStage* at = stage(target);
  for (const DockerStage* below = at; below != nullptr;) {
    at = below;
    below = nullptr;
    for (const DockerStage* each = stages.data(); each != at; ++each)
      if (!each->name.empty() && each->name == lower(at->base)) below = each;
  }
  return at == nullptr ? "" : at->base;
}

Dockerfile parse_dockerfile(std::string_view text) { return Reader(text).read(); }

}  // namespace imgbuild
