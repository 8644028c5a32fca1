// An encrypted PDF (ISO 32000-1, 7.6): each string and each stream is, by itself, under a key made of the file's and
// the number of its object; all else is readable. So its objects are gone through one by one, in the file's order: an
// object's strings, then its stream, if it has one. Strings within streams of objects are not encrypted twice.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "tar/blocks.hpp"
#include "tar/pdf.hpp"

namespace imgbuild {
namespace {

/// What stands in a PDF (7.3), as far as encryption needs it.
struct Value {
  enum class Kind { none, word, name, string, list, dictionary };  // a number is a word
  Kind kind = Kind::none;
  std::string text;
  std::vector<Value> list;
  std::map<std::string, Value> members;

  const Value& at(const std::string& name) const {
    static const Value none;
    const auto found = members.find(name);
    return found == members.end() ? none : found->second;
  }
  long long number(long long other) const {
    return kind == Kind::word && !text.empty() ? std::strtoll(text.c_str(), nullptr, 10) : other;
  }
};

/// Goes through tokens. Where they end early `cut` says so.
class Tokens {
 public:
  explicit Tokens(std::string_view text, std::size_t at = 0) : text_(text), at_(at) {}
  std::size_t at() const { return at_; }
  bool cut() const { return at_ >= text_.size(); }

  /// `strings` is shown each one on the way.
  Value next(const std::function<void(std::string_view)>& strings = nullptr, int depth = 0) {
    constexpr int deepest = 64;
    constexpr std::size_t most_kept = 1024;  // of a list or a dictionary
    skip_space();
    Value value;
    if (cut()) return value;
    const char c = text_[at_];
    if (c == '(' || (c == '<' && text_.substr(at_, 2) != "<<")) {
      value.kind = Value::Kind::string;
      value.text = c == '(' ? pdf_literal(text_, at_) : hex();
      if (strings) strings(value.text);
    } else if ((c == '<' || c == '[') && depth < deepest) {
      const bool is_list = c == '[';
      value.kind = is_list ? Value::Kind::list : Value::Kind::dictionary;
      at_ += is_list ? 1 : 2;
      for (std::string key; !closes(is_list);) {
        Value one = next(strings, depth + 1);
        if (one.kind == Value::Kind::none) break;
        if (is_list || one.kind != Value::Kind::name || !key.empty()) {
          if (is_list && value.list.size() < most_kept) value.list.push_back(std::move(one));
          // (A reference is three words: its first one stands for it, with the others behind.)
          else if (!is_list && !key.empty() && value.members.size() < most_kept)
            value.members.try_emplace(std::exchange(key, ""), std::move(one));
        } else {
          key = std::move(one.text);
        }
      }
    } else if (c == '/') {
      value.kind = Value::Kind::name;
      value.text = word(at_ + 1);
    } else if (is_pdf_delimiter(c)) {
      value.kind = Value::Kind::word;
      value.text = c;
      ++at_;
    } else {
      value.kind = Value::Kind::word;
      value.text = word(at_);
    }
    return value;
  }

 private:
  void skip_space() {
    while (!cut() && (is_pdf_space(text_[at_]) || text_[at_] == '%'))
      at_ = text_[at_] == '%' ? std::min(text_.find_first_of("\r\n", at_), text_.size()) : at_ + 1;
  }
  bool closes(bool is_list) {
    skip_space();
    const std::string_view end = is_list ? "]" : ">>";
    if (cut()) return true;
    if (text_.substr(at_, end.size()) != end) return false;
    at_ += end.size();
    return true;
  }
  std::string word(std::size_t begin) {
    at_ = begin;
    while (!cut() && !is_pdf_space(text_[at_]) && !is_pdf_delimiter(text_[at_])) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }
  std::string hex() {
    const std::size_t end = std::min(text_.find('>', at_), text_.size());
    const Bytes bytes = pdf_hex(view_of(text_.substr(at_ + 1, end - at_ - 1)));
    at_ = std::min(end + 1, text_.size());
    return std::string(text_of(bytes));
  }

  const std::string_view text_;
  std::size_t at_;
};

Bytes bytes_of(const Value& value) {
  const View view = view_of(value.text);
  return value.kind == Value::Kind::string ? Bytes(view.begin(), view.end()) : Bytes();
}

/// Calls use(position) wherever the word stands, until it says that it is enough.
template <class Use>
void each_place(const Whole& whole, std::string_view word, const Use& use) {
  constexpr std::size_t piece = std::size_t{256} << 10;
  for (std::uint64_t at = 0; at < whole.size(); at += piece) {
    interrupt::check();
    const Bytes bytes = whole.part(at, piece + word.size() - 1);
    const std::string_view text = text_of(bytes);
    for (std::size_t found = text.find(word); found != std::string_view::npos; found = text.find(word, found + 1))
      if (found < piece && use(at + found)) return;
  }
}

constexpr std::size_t longest_seal = std::size_t{16} << 10;

/// How streams or strings are packed, by the name of a crypt filter (7.6.5).
std::optional<PdfSeal::Cipher> cipher_of(const Value& dictionary, const char* which) {
  const std::string& name = dictionary.at(which).text;
  if (name.empty() || name == "Identity") return PdfSeal::Cipher::none;
  const std::string& method = dictionary.at("CF").at(name).at("CFM").text;
  if (method == "V2") return PdfSeal::Cipher::rc4;
  if (method == "AESV2" || method == "AESV3") return PdfSeal::Cipher::aes;
  return method == "None" ? std::optional(PdfSeal::Cipher::none) : std::nullopt;
}

std::optional<PdfSeal> seal_of(const Value& dictionary, const Bytes& id) {
  if (dictionary.at("Filter").text != "Standard") return std::nullopt;
  const long long version = dictionary.at("V").number(0);
  PdfSeal seal;
  seal.revision = static_cast<int>(dictionary.at("R").number(0));
  const long long bits = version == 1 ? 40 : version >= 4 ? 128 : dictionary.at("Length").number(40);
  if (bits < 40 || bits > 128 || version < 1 || version > 5) return std::nullopt;
  seal.key_size = static_cast<std::size_t>(bits) / 8;
  seal.permissions = static_cast<std::uint32_t>(dictionary.at("P").number(0));
  seal.metadata = dictionary.at("EncryptMetadata").text != "false";
  seal.owner = bytes_of(dictionary.at("O"));
  seal.user = bytes_of(dictionary.at("U"));
  seal.user_key = bytes_of(dictionary.at("UE"));
  seal.id = id;
  if (version < 4) return seal;
  const auto streams = cipher_of(dictionary, "StmF"), strings = cipher_of(dictionary, "StrF");
  if (!streams || !strings) return std::nullopt;
  seal.streams = *streams;
  seal.strings = *strings;
  return seal;
}

/// Everything that calls itself this file's encryption, with the file's id: as its trailers and its streams of
/// references name it.
std::vector<std::pair<Value, Bytes>> seals_in(const Whole& pdf) {
  constexpr std::size_t most = 16;
  std::vector<std::pair<Value, Bytes>> seals;
  each_place(pdf, "/Encrypt", [&](std::uint64_t at) {
    const std::uint64_t from = at - std::min<std::uint64_t>(at, 4096);
    const Bytes around = pdf.part(from, longest_seal);
    const std::string_view text = text_of(around);
    const auto here = static_cast<std::size_t>(at - from) + std::string_view("/Encrypt").size();
    if (here >= text.size() || !(is_pdf_space(text[here]) || text[here] == '<')) return false;  // /EncryptMetadata
    if (text.find("trailer") == std::string_view::npos && text.find("/XRef") == std::string_view::npos) return false;
    Tokens tokens(text, here);
    const Value first = tokens.next(), second = tokens.next(), third = tokens.next();
    Bytes id;
    for (std::size_t i = text.find("/ID"); i != std::string_view::npos && id.empty(); i = text.find("/ID", i + 1)) {
      const Value list = Tokens(text, i + 3).next();
      if (list.kind == Value::Kind::list && !list.list.empty()) id = bytes_of(list.list.front());
    }
    if (first.kind == Value::Kind::dictionary) {
      seals.emplace_back(first, id);
    } else if (first.kind == Value::Kind::word && third.text == "R") {
      const std::string name = first.text + " " + second.text + " obj";
      const std::size_t known = seals.size();
      each_place(pdf, name, [&](std::uint64_t object) {
        const Bytes before = pdf.part(object - std::min<std::uint64_t>(object, 1), 1);
        if (object > 0 && before.size() == 1 && before[0] >= '0' && before[0] <= '9') return false;
        const Bytes body = pdf.part(object + name.size(), longest_seal);
        seals.emplace_back(Tokens(text_of(body)).next(), id);
        return seals.size() >= most;
      });
      if (seals.size() == known) seals.emplace_back(Value(), id);  // it is gone
    }
    return seals.size() >= most;
  });
  return seals;
}

/// UTF-16, as PDF marks it (7.9.2.2), as what it says.
std::string plain_text(View text) {
  if (text.size() < 2 || text[0] != 0xfe || text[1] != 0xff) return std::string(text_of(text));
  std::string out;
  for (std::size_t i = 2; i + 1 < text.size(); i += 2) {
    const unsigned unit = static_cast<unsigned>(text[i]) << 8 | text[i + 1];
    if (unit >= 0x800) out += static_cast<char>(0xe0 | unit >> 12);
    if (unit >= 0x80) out += static_cast<char>(unit >= 0x800 ? 0x80 | (unit >> 6 & 0x3f) : 0xc0 | unit >> 6);
    out += static_cast<char>(unit >= 0x80 ? 0x80 | (unit & 0x3f) : unit);
  }
  return out;
}

class Objects {
 public:
  Objects(const PdfSeal& seal, const PdfDecrypt& decrypt, const BlockFile::Sink& sink)
      : seal_(seal), decrypt_(decrypt), sink_(sink) {}

  void look(const Whole& pdf) {
    std::size_t shown = least;
    for (std::uint64_t at = 0; at < pdf.size();) {
      interrupt::check();
      const Bytes part = pdf.part(at, shown);
      const std::string_view text = text_of(part);
      const bool ends = at + part.size() >= pdf.size();
      std::size_t used = 0;
      for (std::size_t taken = 1; taken > 0 && used < text.size(); used += taken)
        taken = step(text.substr(used), ends || (shown >= longest && used == 0));
      if (used == 0 && part.empty()) break;
      shown = used > 0 ? least : std::min(shown * 4, longest);
      at += used;
    }
  }
  bool too_large() const { return too_large_; }

 private:
  static constexpr std::size_t least = std::size_t{64} << 10, longest = most_unblocked;

  /// What is done with: up to an object's end, or to where one may begin; 0: more must be shown. `all`: there is none.
  std::size_t step(std::string_view text, bool all) {
    constexpr std::size_t longest_number = 32;
    const std::size_t obj = text.find(" obj");
    if (obj == std::string_view::npos) return all ? text.size() : text.size() - std::min(text.size(), longest_number);
    if (!read_number(text.substr(0, obj))) return obj + 4;
    Tokens tokens(text, obj + 4);
    std::size_t begin = tokens.at(), end = begin;
    std::vector<std::string> strings;
    std::string last;
    while (!tokens.cut() && last != "endobj" && last != "stream") {
      end = tokens.at();
      const Value value = tokens.next([&](std::string_view one) { strings.emplace_back(one); });
      last = value.kind == Value::Kind::word ? value.text : "";
      if (last == "obj") break;  // another one begins
    }
    if (tokens.cut() && !all) return 0;
    const std::string_view dictionary = text.substr(begin, end - begin);
    std::size_t at = tokens.at();
    if (last == "stream") {
      if (text.substr(at, 1) == "\r") ++at;
      if (text.substr(at, 1) == "\n") ++at;
      const std::size_t close = text.find("endstream", at);
      if (close == std::string_view::npos && !all) return 0;
      too_large_ = too_large_ || (close == std::string_view::npos && text.size() >= longest);
      look_at_stream(view_of(text.substr(at, std::min(close, text.size()) - at)), dictionary);
      at = std::min(close, text.size());
    }
    for (const std::string& one : strings)
      if (const std::string plain = plain_text(decrypted(seal_.strings, view_of(one))); !plain.empty())
        sink_(view_of(plain), true);
    return std::max<std::size_t>(at, 1);
  }

  /// "12 0", behind whatever.
  bool read_number(std::string_view before) {
    const auto number = [&](std::uint32_t& value) {
      std::size_t begin = before.size();
      while (begin > 0 && before[begin - 1] >= '0' && before[begin - 1] <= '9' && before.size() - begin < 10) --begin;
      if (begin == before.size()) return false;
      value = static_cast<std::uint32_t>(std::strtoul(std::string(before.substr(begin)).c_str(), nullptr, 10));
      before = before.substr(0, begin);
      return true;
    };
    if (!number(generation_)) return false;
    const std::size_t digits = before.find_last_not_of(std::string_view("\0\t\n\f\r ", 6));
    if (digits == std::string_view::npos || digits + 1 == before.size()) return false;
    before = before.substr(0, digits + 1);
    return number(object_);
  }

  Bytes decrypted(PdfSeal::Cipher cipher, View sealed) const { return decrypt_(cipher, object_, generation_, sealed); }

  void look_at_stream(View sealed, std::string_view dictionary) {
    if (dictionary.find("/XRef") != std::string_view::npos) return;  // is not encrypted
    const bool plain = !seal_.metadata && dictionary.find("/Metadata") != std::string_view::npos;
    const Bytes out =
        unpack_pdf(plain ? Bytes(sealed.begin(), sealed.end()) : decrypted(seal_.streams, sealed), dictionary);
    sink_(out, true);
    if (const std::string shown = pdf_shown(out); !shown.empty()) sink_(view_of(shown), true);
    too_large_ = too_large_ || (!pdf_filters(dictionary).empty() && fills_bound(out));
  }

  const PdfSeal& seal_;
  const PdfDecrypt& decrypt_;
  const BlockFile::Sink& sink_;
  std::uint32_t object_ = 0, generation_ = 0;
  bool too_large_ = false;
};

}  // namespace

std::string look_at_sealed_pdf(const Whole& pdf, const PdfOpener& opener, const BlockFile::Sink& sink) {
  const auto seals = seals_in(pdf);
  for (const auto& [dictionary, id] : seals) {
    const auto seal = seal_of(dictionary, id);
    const PdfDecrypt decrypt = seal ? opener(*seal) : nullptr;
    if (!decrypt) continue;
    Objects objects(*seal, decrypt, sink);
    objects.look(pdf);
    return objects.too_large() ? "holds a packed block larger than 8 MiB" : "";
  }
  return seals.empty() ? "" : "encrypted";
}

}  // namespace imgbuild
