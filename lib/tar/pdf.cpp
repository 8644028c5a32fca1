// PDF (ISO 32000-1): what its streams' filters leave, and the text that a page shows (9.4), whose letters may stand in
// strings of a few each, with numbers between them that move them closer. A stream that deflate alone packs is known in
// the midst of anything; here it is text only. (A font may call its letters by other numbers: not read.) What is
// encrypted is read once more, when all of it is there: what that takes stands at a file's end.
#include "tar/pdf.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/byte_store.hpp"
#include "base/text.hpp"
#include "tar/blocks.hpp"

namespace imgbuild {
namespace {

/// What a page's content shows: a line for each piece of text, and each height on the page.
class Shown {
 public:
  std::string of(std::string_view content) {
    for (at_ = 0; at_ < content.size();) {
      const char c = content[at_];
      if (is_pdf_space(c)) {
        ++at_;
      } else if (c == '%') {
        at_ = std::min(content.find_first_of("\r\n", at_), content.size());
      } else if (c == '(') {
        show(pdf_literal(content, at_));
      } else if (c == '<' && content.substr(at_, 2) != "<<") {
        const std::string_view digits = content.substr(at_ + 1);
        show(text_of(pdf_hex(view_of(digits.substr(0, digits.find('>'))))));
        at_ = std::min(content.find('>', at_), content.size() - 1) + 1;
      } else if (c == '[' || c == ']') {
        in_array_ = c == '[';
        ++at_;
      } else if (is_pdf_delimiter(c)) {
        ++at_;
      } else {
        std::size_t end = at_;
        while (end < content.size() && !is_pdf_space(content[end]) && !is_pdf_delimiter(content[end])) ++end;
        word(content.substr(at_, end - at_));
        at_ = end;
      }
    }
    return std::move(text_);
  }

 private:
  void show(std::string_view text) {
    if (height_ != shown_at_ && !text_.empty()) text_ += '\n';
    shown_at_ = height_;
    text_ += text;
  }

  void word(std::string_view word) {
    constexpr double space = -200;  // of a thousandth of the letters' size
    const bool number = word.find_first_not_of("+-.0123456789") == std::string_view::npos;
    if (number) {
      const double value = std::atof(std::string(word.substr(0, 32)).c_str());
      if (in_array_ && value <= space) text_ += ' ';
      std::rotate(numbers_.begin(), numbers_.begin() + 1, numbers_.end());
      numbers_.back() = value;
      return;
    }
    const double last = numbers_.back();
    if (word == "BT") {
      height_ = 0;
      if (!text_.empty()) text_ += '\n';
    }
    if (word == "Tm") height_ = last;
    if (word == "Td" || word == "TD") height_ += last;
    if (word == "TL") leading_ = last;
    if (word == "TD") leading_ = -last;
    if (word == "T*" || word == "'" || word == "\"") height_ -= leading_ == 0 ? 1 : leading_;
  }

  std::size_t at_ = 0;
  std::string text_;
  bool in_array_ = false;
  std::array<double, 6> numbers_{};
  double height_ = 0, shown_at_ = 0, leading_ = 0;
};

/// Streams that are no text once they are unpacked, or that nothing here unpacks.
bool is_no_text(std::string_view dictionary) {
  constexpr std::string_view no_text[] = {"/Image", "/XRef", "/Length1", "/Length3", "/Type1C", "/OpenType"};
  return std::any_of(std::begin(no_text), std::end(no_text),
                     [&](std::string_view one) { return dictionary.find(one) != std::string_view::npos; });
}

class Pdf : public BlockFile {
 public:
  explicit Pdf(PdfOpener opener) : opener_(std::move(opener)) {}
  const char* packing() const override { return "PDF"; }
  std::size_t usual() const override { return std::size_t{64} << 10; }

  Step step(View left, bool last, const Sink& sink) override {
    const std::string_view text = text_of(left);
    if (!text.starts_with(word)) return pass(text, last);
    const bool is_end = before_.ends_with("end");
    std::size_t begin = word.size();
    if (text.substr(begin, 1) == "\r") ++begin;
    if (text.substr(begin, 1) == "\n") ++begin;
    const auto filters = pdf_filters(dictionary());
    if (is_end || begin == word.size() || is_no_text(dictionary()) || !knows_pdf_filters(filters))
      return take(note(text, word.size()));
    constexpr std::size_t longest = most_unblocked;
    const std::size_t close = text.find("endstream", begin);
    if (close == std::string_view::npos && !last && left.size() < longest)
      return want(std::min(longest, left.size() * 4));
    const Bytes out = unpack_pdf(left.subspan(begin, std::min(close, left.size()) - begin), dictionary());
    const bool known =
        filters.empty() || (filters.size() == 1 && filters.front() == "FlateDecode" && !pdf_predicts(dictionary()));
    if (!known) sink(out, true);
    const std::string shown = pdf_shown(out);
    if (!shown.empty()) sink(view_of(shown), true);
    const bool cut = (close == std::string_view::npos && !last) || (!filters.empty() && fills_bound(out));
    if (cut && (!known || !shown.empty())) too_large();
    return take(note(text, std::min(close, left.size())));
  }
  void finish(const Sink& sink) override {
    if (opener_ == nullptr) return;
    if (std::string why = look_at_sealed_pdf(all_, opener_, sink); !why.empty()) cannot(std::move(why));
  }

 private:
  static constexpr std::string_view word = "stream";

  /// Up to the next stream, of what is none.
  Step pass(std::string_view text, bool last) {
    const std::size_t next = text.find(word);
    const std::size_t kept = last ? 0 : std::min(word.size() - 1, text.size() - 1);
    return take(note(text, next != std::string_view::npos ? next : text.size() - kept));
  }
  /// Keeps what is taken, and its end: a stream's dictionary stands before it.
  std::size_t note(std::string_view text, std::size_t taken) {
    constexpr std::size_t longest_dictionary = 2048;
    const std::string_view end = text.substr(0, taken);
    all_.append(view_of(end));
    before_ += end.substr(end.size() - std::min(end.size(), longest_dictionary));
    before_.erase(0, before_.size() - std::min(before_.size(), longest_dictionary));
    return taken;
  }
  std::string_view dictionary() const {
    const std::size_t begin = before_.rfind("obj");
    return std::string_view(before_).substr(begin == std::string::npos ? 0 : begin);
  }

  const PdfOpener opener_;
  std::string before_;
  ByteStore all_;
};

}  // namespace

std::string pdf_literal(std::string_view content, std::size_t& at) {
  std::string text;
  int depth = 0;
  for (; at < content.size(); ++at) {
    char c = content[at];
    if (c == '(' && depth++ == 0) continue;
    if (c == ')' && --depth == 0) break;
    if (c == '\\' && at + 1 < content.size()) {
      c = content[++at];
      if (c >= '0' && c <= '7') {
        int value = 0;
        const std::size_t end = std::min(at + 3, content.size());
        for (; at < end && content[at] >= '0' && content[at] <= '7'; ++at) value = value * 8 + content[at] - '0';
        --at;
        c = static_cast<char>(value);
      } else if (c == '\n' || c == '\r') {
        continue;
      } else {
        constexpr std::string_view names = "nrtbf", are = "\n\r\t\b\f";
        if (const std::size_t i = names.find(c); i != std::string_view::npos) c = are[i];
      }
    }
    text += c;
  }
  ++at;
  return text;
}

std::string pdf_shown(View content) {
  const std::string_view text = text_of(content);
  const bool shows = text.find("Tj") != std::string_view::npos || text.find("TJ") != std::string_view::npos;
  return shows ? Shown().of(text) : "";
}

std::unique_ptr<BlockFile> pdf_of(View head, const PdfOpener& opener) {
  return text_of(head.first(std::min<std::size_t>(head.size(), 1024))).find("%PDF-") != std::string_view::npos
             ? std::make_unique<Pdf>(opener)
             : nullptr;
}

}  // namespace imgbuild
