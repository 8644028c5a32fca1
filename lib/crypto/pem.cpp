// PEM as it leaks: pasted into source code, JSON, YAML, comments and diffs. Whatever is layout is undone first
// (key_text.cpp); what is left must be headers and base64, or it is no key.
#include "crypto/pem.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/text.hpp"
#include "crypto/key_text.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t longest_content = std::size_t{16} << 10;  // RSA of 16,384 bits has 9.3 KB

// Takes lines and, of each, what belongs to the block.
class Body {
 public:
  explicit Body(Pem& pem) : pem_(pem) {}

  /// False where something stands there that is no base64.
  bool take(const std::string& line) {
    std::vector<std::string_view> words = key_words(line);
    for (std::size_t i = 0; i < words.size(); ++i) {
      std::string_view word = words[i];
      if (word.size() > 1 && word.back() == ':') {
        if (++i >= words.size()) return word == "Comment:" || word == "Subject:";
        header(word, words, i);
        continue;
      }
      while (!word.empty() && (word.back() == ',' || word.back() == ';')) word.remove_suffix(1);
      if (word.empty()) continue;
      if (!is_base64_text(word.substr(word[0] == '-' ? 1 : 0))) return false;
      words_.emplace_back(word);
    }
    return true;
  }

  bool empty() const { return words_.empty(); }
  std::string joined() { return joined_words(std::move(words_)); }

 private:
  void header(std::string_view word, const std::vector<std::string_view>& words, std::size_t& i) {
    std::string value(words[i]);
    if (value.ends_with(',') && i + 1 < words.size()) value += words[++i];
    if (word == "Proc-Type:") pem_.encrypted = value.ends_with("ENCRYPTED");
    if (word == "DEK-Info:") pem_.dek_info = value;
    // A comment may hold anything, up to its line's end: behind it stands base64 of some length.
    if (word == "Comment:" || word == "Version:" || word == "Subject:")
      while (i + 1 < words.size() && !(words[i + 1].size() >= 48 && is_base64_text(words[i + 1]))) ++i;
  }

  Pem& pem_;
  std::vector<std::string> words_;
};

}  // namespace

std::string pem_label(std::string_view text) {
  const std::string_view five = "-----", four = "---- ";
  const bool ssh2 = text.starts_with("---- BEGIN ");
  if (!text.starts_with("-----BEGIN") && !ssh2) return {};
  std::string_view label = text.substr(ssh2 ? 11 : 10, 80);
  std::size_t end = label.find(ssh2 ? four.substr(0, 4) : five);
  if (end == std::string_view::npos) return {};
  label = label.substr(0, end);
  std::string plain;
  for (std::size_t i = 0; i < label.size(); ++i) {
    const bool percent = label.substr(i).starts_with("%20");
    plain += percent || label[i] == '+' ? ' ' : label[i];
    if (percent) i += 2;
  }
  return std::string(trim(plain));
}

std::optional<Pem> read_pem(std::string_view text, std::string_view before) {
  Pem pem;
  pem.label = pem_label(text);
  if (pem.label.empty()) return std::nullopt;
  const bool ssh2 = text.starts_with("---- ");
  const std::string_view mark = ssh2 ? "----" : "-----";
  std::vector<std::string> lines = key_lines(before, text, ssh2 ? "---- END" : "-----END");
  // The first line's dashes are ours; the body may go on behind them.
  std::string& first = lines.front();
  const std::size_t open = first.find("BEGIN");
  const std::size_t close = open == std::string::npos ? open : first.find(mark, open);
  if (close == std::string::npos) return std::nullopt;
  first.erase(0, close + mark.size());

  // Without an END line the body goes as far as base64 does.
  Body body(pem);
  const bool closed = std::any_of(lines.begin(), lines.end(),
                                  [&](const std::string& line) { return line.find(mark) != std::string::npos; });
  for (std::string& line : lines) {
    const std::size_t end = line.find(mark);
    line.resize(std::min(end, line.size()));
    const bool sound = body.take(line);
    if (!sound && closed) return std::nullopt;
    if (!sound || end != std::string::npos) break;
  }
  if (body.empty()) return std::nullopt;
  std::string joined = body.joined();
  const auto as_far_as_it_goes = [&joined] {
    joined.resize(std::min(joined.find_last_not_of('=', joined.find('=')) + 1, joined.size()));
    if (joined.size() % 4 == 1) joined.pop_back();
  };
  if (!closed) as_far_as_it_goes();
  auto content = unbase64(joined);
  if (!content) {  // OpenPGP's checksum stands behind it, or characters are missing
    as_far_as_it_goes();
    content = unbase64(joined);
  }
  if (!content || content->size() > longest_content) return std::nullopt;
  pem.content = std::move(*content);
  return pem;
}

}  // namespace imgbuild
