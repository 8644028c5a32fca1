// Passwords that somebody thought of: made of words, and yet no name of a program's.
#include <algorithm>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "scan/proofs.hpp"
#include "scan/wordlike.hpp"

namespace imgbuild::proofs {
namespace {

// Its words, in small letters: cut at what joins them and at humps, without the digits at their ends.
std::vector<std::string> words_of(std::string_view value) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < value.size();) {
    if (!is_letter(value[at])) {
      ++at;
      continue;
    }
    std::size_t end = at + 1;
    while (end < value.size() && is_letter(value[end]) && !(is_upper(value[end]) && is_lower(value[end - 1]))) ++end;
    words.push_back(lower(value.substr(at, end - at)));
    at = end;
  }
  return words;
}

// Does it begin as the words of which names of code and of systems are made?
bool is_technical(std::string_view word) {
  static constexpr std::string_view technical[] = {
      "pass",   "secret",  "token",  "auth",    "cred",    "key",    "user",    "admin",  "login",   "data",   "base",
      "serv",   "prod",    "dev",    "test",    "stag",    "demo",   "exampl",  "sample", "default", "config", "name",
      "file",   "cert",    "value",  "cluster", "node",    "region", "zone",    "bucket", "role",    "group",  "policy",
      "versi",  "releas",  "build",  "branch",  "image",   "volume", "network", "field",  "input",   "form",   "text",
      "type",   "string",  "number", "private", "public",  "vault",  "store",   "kube",   "docker",  "local",  "http",
      "postgr", "mysql",   "redis",  "mongo",   "north",   "south",  "east",    "west",   "central", "host",   "port",
      "client", "account", "access", "your",    "change",  "insert", "enter",   "here",   "path",    "code",   "hash",
      "crypt",  "random",  "app",    "web",     "api",     "mail",   "page",    "style",  "color",   "view",   "list",
      "item",   "table",   "index",  "event",   "message", "error",  "window",  "button", "panel",   "dialog", "menu"};
  return any_of(technical, word, starts_with);
}

bool has_technical_word(std::string_view value) {
  const auto words = words_of(value);
  return std::any_of(words.begin(), words.end(), is_technical);
}

// velvet-badger-bucket: of what programs have, one thing that houses have, too.
bool is_of_systems(std::string_view value) {
  static constexpr std::string_view at_home[] = {"bucket", "window", "button", "table", "page",  "north",
                                                 "south",  "east",   "west",   "panel", "image", "item"};
  const auto words = words_of(value);
  std::size_t technical = 0;
  for (const std::string& word : words) {
    const bool common = std::find(std::begin(at_home), std::end(at_home), word) != std::end(at_home);
    technical += !is_technical(word) ? 0 : common ? 1 : 2;
  }
  return technical > (words.size() >= 3 ? 1 : 0);
}

// Words that forms, messages and programs say: of one of these no password is made.
bool says(std::string_view word) {
  static constexpr std::string_view said[] = {
      "with",   "must",   "this",   "that",   "does",   "have",    "from",    "when",   "then",   "than",
      "only",   "match",  "requir", "invali", "valid",  "wrong",   "incorr",  "weak",   "strong", "short",
      "minim",  "maxim",  "length", "reset",  "forgot", "curren",  "confirm", "repeat", "expire", "empty",
      "missin", "lost",   "charac", "upper",  "lower",  "letter",  "specia",  "symbol", "digit",  "verify",
      "check",  "updat",  "creat",  "delet",  "remov",  "show",    "hide",    "toggle", "visibl", "label",
      "title",  "settin", "profil", "should", "cannot", "same",    "more",    "less",   "least",  "never",
      "always", "allow",  "deny",   "enabl",  "disabl", "support", "manag",   "provid", "handl",  "servi",
      "gener",  "plain",  "clear",  "custom", "option", "submit",  "session", "refer",  "secur",  "includ",
      "extern", "intern", "global", "compon", "elemen", "contro",  "middle",  "librar", "module", "plugin"};
  // Short ones begin many another word: mustang, thistle.
  return std::any_of(std::begin(said), std::end(said),
                     [&](std::string_view one) { return one.size() > 4 ? word.starts_with(one) : word == one; });
}

}  // namespace

// Three words or more that have nothing to do with one another, and a number, as people are told to choose: no name of
// anything that programs have.
bool is_passphrase(std::string_view value) {
  const NameLikeness likeness = name_likeness(value);
  return likeness.words && likeness.symbols == 0 && likeness.numbers == 1 && likeness.digits <= 4 &&
         likeness.joints >= 3 && likeness.parts >= 3 && likeness.letters >= likeness.parts * 4 && !is_of_systems(value);
}

bool is_title_phrase(std::string_view value) {
  std::size_t words = 0, at = 0;
  while (at < value.size() && is_upper(value[at])) {
    std::size_t end = at + 1;
    while (end < value.size() && is_lower(value[end])) ++end;
    if (end - at < 3) return false;
    ++words;
    at = end;
    if (at < value.size() && (value[at] == '-' || value[at] == '_')) ++at;
  }
  const std::size_t digits = value.size() - at;
  return words >= 2 && words <= 4 && digits >= 1 && digits <= 4 &&
         value.find_first_not_of("0123456789", at) == std::string_view::npos &&
         value.find_first_of("-_") != std::string_view::npos && !has_technical_word(value);
}

// Three words and more, as people are told to choose a password: none of them of those that programs, forms and
// messages are full of.
bool is_plain_phrase(std::string_view value) {
  std::size_t words = 0;
  for (std::size_t at = 0; at < value.size();) {
    const std::size_t end = std::min(value.find('-', at), value.size());
    const std::string_view word = value.substr(at, end - at);
    if (word.size() < 4 || word.size() > 10 || !std::all_of(word.begin(), word.end(), is_lower) || says(word))
      return false;
    ++words;
    at = end + 1;
  }
  return words >= 3 && words <= 6 && name_likeness(value).words && !is_of_systems(value);
}

// Koda-tavo5-giku, as programs make what one can say.
bool is_spoken(std::string_view value) {
  std::size_t groups = 0, digits = 0, uppers = 0;
  for (std::size_t at = 0; at < value.size(); ++groups) {
    std::size_t end = at, letters = 0;
    for (; end < value.size() && value[end] != '-'; ++end) {
      digits += is_digit(value[end]) ? 1 : 0;
      uppers += is_upper(value[end]) ? 1 : 0;
      letters += is_letter(value[end]) ? 1 : 0;
      if (!is_letter(value[end]) && !is_digit(value[end])) return false;
    }
    if (letters < 3 || end - at > 7) return false;
    at = end + 1;
  }
  return groups >= 3 && groups <= 5 && digits == 1 && uppers == 1 && !value.ends_with('-') &&
         !has_technical_word(value);
}

// 3WalrusFalcon.: numbers before two names, and a mark behind them.
static bool is_numbered_before(std::string_view value) {
  const std::size_t begin = std::min(value.find_first_not_of("0123456789"), value.size());
  if (begin == 0 || begin > 4 || value.size() < 10 || begin == value.size() || !is_upper(value[begin]) ||
      std::string_view("!.?*#$_-+=@&%").find(value.back()) == std::string_view::npos)
    return false;
  const std::string_view letters = value.substr(begin, value.size() - 1 - begin);
  const auto words = words_of(letters);
  return std::all_of(letters.begin(), letters.end(), is_letter) && words.size() == 2 &&
         std::all_of(words.begin(), words.end(), [](const std::string& word) {
           return word.size() >= 3 && word.size() <= 12 && !says(word) && !is_technical(word);
         });
}

bool is_numbered_phrase(std::string_view value) {
  if (is_spoken(value) || is_numbered_before(value)) return true;
  std::size_t end = value.size();
  while (end > 0 && std::string_view("!.?*#$_-").find(value[end - 1]) != std::string_view::npos) --end;
  const std::size_t marks = value.size() - end;
  while (end > 0 && is_digit(value[end - 1])) --end;
  const std::size_t digits = value.size() - marks - end;
  const std::string_view letters = value.substr(0, end);
  if (letters.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.") != std::string_view::npos ||
      digits > 4 || marks > 2)
    return false;
  const auto words = words_of(letters);
  std::size_t least = 99;
  if (is_of_systems(letters)) return false;
  for (const auto& word : words) {
    if (says(word) || word.size() > 14) return false;
    least = std::min(least, word.size());
  }
  const bool joined = letters.find_first_of("-_.") != std::string_view::npos;
  // Walrus-81, Falcon1990., walrusFalcon_7
  const std::size_t last = letters.find_last_not_of("-_.");
  const std::string_view plain = letters.substr(0, last + 1);
  if (last != std::string_view::npos && plain.find_first_of("-_.") == std::string_view::npos && letters.size() >= 5) {
    const bool parted = plain.size() + 1 == letters.size();
    if (parted && words.size() >= 2 && least >= 3 && digits >= 1) return true;
    if (words.size() == 1 && is_upper(plain[0]) && plain.size() >= 5 &&
        (parted ? digits >= 2 : digits == 4 && marks == 1))
      return true;
  }
  // tigerCherry2, falcon-silver-walrus26, hunterwalrus!
  if (!joined && words.size() >= 2) return words.size() <= 4 && least >= 3 && letters.size() >= 8 && digits >= 1;
  // WALRUS.falcon7: nothing else is written so.
  if (joined && words.size() == 2 && digits >= 1 && least >= 4) {
    const std::size_t joint = letters.find_first_of("-_.");
    const std::string_view first = letters.substr(0, joint), second = letters.substr(joint + 1);
    const auto all = [](std::string_view text, bool (*is)(char)) { return std::all_of(text.begin(), text.end(), is); };
    if ((all(first, is_upper) && all(second, is_lower)) || (all(first, is_lower) && all(second, is_upper)))
      return !has_technical_word(letters);
  }
  // Walrus.falcon48
  if (joined && words.size() == 2 && is_upper(letters[0]) && digits >= 2)
    return std::count(letters.begin(), letters.end(), '.') == 1 && least >= 2 && letters.size() >= 9;
  // orange_walrus46: a name's number is a small one.
  if (joined && words.size() == 2 && digits == 2 && least >= 4 && letters.size() >= 10 && value[end] >= '3')
    return !has_technical_word(letters);
  if (joined) return words.size() >= 3 && words.size() <= 5 && least >= 4 && digits >= 2;
  // walrus7; but user1, latin1, busybox1 are the first of several, and hunter2 is the one that everybody quotes.
  if (words.size() == 1 && digits == 1 && marks == 0 && letters.size() >= 5 && letters.size() <= 10)
    return value.back() != '1' && value != "hunter2";
  return words.size() == 1 && digits == 0 && marks == 1 && value.back() == '!' && letters.size() >= 10;
}

bool is_spaced_phrase(std::string_view value) {
  std::string joined(value);
  std::replace(joined.begin(), joined.end(), ' ', '-');
  return is_plain_phrase(joined);
}

// Of a sentence one word in three joins the others, or says what is done: of what somebody threw dice for none does.
bool is_diced_phrase(std::string_view value) {
  static constexpr std::string_view joining[] = {
      "please",  "type",    "again",   "into",    "about",   "after",  "before",  "been",   "being",  "were",
      "will",    "would",   "could",   "they",    "them",    "there",  "these",   "those",  "which",  "while",
      "what",    "where",   "whose",   "each",    "every",   "some",   "such",    "also",   "just",   "over",
      "under",   "between", "through", "without", "within",  "both",   "very",    "once",   "until",  "hash",
      "bitte",   "ihre",    "ihren",   "dein",    "deine",   "nicht",  "eine",    "einen",  "einer",  "oder",
      "sind",    "wird",    "werden",  "neues",   "neue",    "altes",  "geben",   "sein",   "haben",  "muss",
      "zeichen", "kein",    "keine",   "nach",    "fuer",    "durch",  "ohne",    "votre",  "entrez", "saisir",
      "nouveau", "ancien",  "dans",    "avec",    "pour",    "sans",   "vous",    "cette",  "sont",   "doit",
      "nueva",   "nuevo",   "para",    "contra",  "debe",    "actual", "esta",    "este",   "usted",  "sobre",
      "nuova",   "deve",    "questa",  "della",   "nieuwe",  "voer",   "opnieu",  "deze",   "moet",   "niet",
      "worden",  "instel",  "nova",    "digite",  "ange",    "indtas", "skriv",   "ikke",   "inte",   "geef",
      "wacht",   "kenn",    "parol",   "contras", "senha",   "haslo",  "heslo",   "phrase", "word",   "words",
      "becaus",  "necess",  "enough",  "often",   "usual",   "possib", "availa",  "sign",   "email",  "field",
      "protec",  "encod",   "unable",  "fail",    "success", "cancel", "confir",  "choose", "select", "save",
      "open",    "close",   "remote",  "proxy",   "server",  "system", "database"};
  if (!is_spaced_phrase(value)) return false;
  auto words = words_of(value);
  for (const std::string& word : words)
    if (is_technical(word) || any_of(joining, word, starts_with) || word.ends_with("ing") || word.ends_with("ed") ||
        word.ends_with("ly") || word.ends_with("tion"))
      return false;
  std::sort(words.begin(), words.end());
  return std::unique(words.begin(), words.end()) == words.end();
}

// kqzv hmtp wxbn ajre: four heaps of four letters, as Google makes passwords of programs.
bool is_app_password(std::string_view value) {
  if (value.size() != 19) return false;
  for (std::size_t i = 0; i < value.size(); ++i)
    if (i % 5 == 4 ? value[i] != ' ' : !is_lower(value[i])) return false;
  const auto words = words_of(value);
  const auto is_word = [](const std::string& word) { return name_likeness(word).words; };
  return makeup_of(value).distinct >= 7 && std::none_of(words.begin(), words.end(), says) &&
         (mean_of_pairs(value) < 5 || !std::all_of(words.begin(), words.end(), is_word));
}

// Runs of keys that lie side by side, or one below the other.
bool is_walk(std::string_view value) {
  static constexpr std::string_view runs[] = {
      "qwertzuiop", "qwertyuiop", "azertyuiop", "asdfghjkl",  "yxcvbnm",  "zxcvbnm",  "qsdfghjklm", "wxcvbn",
      "qazwsxedc",  "zaqxswcde",  "1qaz2wsx",   "1q2w3e4r5t", "q1w2e3r4", "zaq12wsx", "poiuytrewq", "lkjhgfdsa",
      "mnbvcxz",    "qweasdzxc",  "aqwzsx",     "edcrfv",     "rfvtgb",   "tgbyhn",   "asdqwe"};
  if (value.size() < 7) return false;
  const std::string small = lower(value);
  std::size_t walked = 0, letters = 0, count = 0;
  for (std::size_t at = 0; at < small.size();) {
    std::size_t longest = 0;
    for (const auto& run : runs) {
      std::size_t length = std::min(run.size(), small.size() - at);
      while (length > longest && run.find(std::string_view(small).substr(at, length)) == std::string_view::npos)
        --length;
      longest = std::max(longest, length);
    }
    if (longest < 3) {
      ++at;
      continue;
    }
    walked += longest;
    ++count;
    for (std::size_t i = at; i < at + longest; ++i) letters += is_letter(small[i]) ? 1 : 0;
    at += longest;
  }
  return count >= 2 && walked * 10 >= value.size() * 6 && letters >= 4;
}

// $umm3r@2017, $enh@c@sa!: letters that signs and digits stand for.
bool is_leet(std::string_view value) {
  const Makeup makeup = makeup_of(value);
  return value.size() >= 8 && value.starts_with('$') && makeup.digits >= 2 && makeup.lowers + makeup.uppers >= 3 &&
         value.find_first_of("@!#*&%") != std::string_view::npos &&
         value.find_first_of("./:{}()[]<>\\ '\"") == std::string_view::npos &&
         (value.rfind('$') == 0 || (value.rfind('$') + 1 < value.size() && !is_letter(value[value.rfind('$') + 1]))) &&
         (std::any_of(value.begin() + 1, value.begin() + 5, is_digit) ||
          std::count(value.begin(), value.end(), '@') > 1);
}

// Of random letters every second one changes its case, of words written together every fifth.
bool changes_case(std::string_view value) {
  const Makeup makeup = makeup_of(value);
  return makeup.uppers >= 3 && makeup.lowers >= 3 && name_likeness(value).parts * 3 >= value.size();
}

// "ymtd6vny": two heaps of letters and a digit between them. "oauth2client" has words there.
bool is_parted_by_digit(std::string_view value) {
  return value.size() >= 7 && !is_digit(value.front()) && !is_digit(value.back()) && mean_of_pairs(value) < 4.9;
}

// Passwort!6150: the word itself, and four digits that are neither a year nor a run, behind a mark.
static bool is_word_and_digits(std::string_view value) {
  std::size_t mark = 0;
  while (mark < value.size() && is_letter(value[mark])) ++mark;
  if (mark < 6 || mark >= value.size() || std::string_view("!#$%&*+@_.-").find(value[mark]) == std::string_view::npos)
    return false;
  std::string_view digits = value.substr(mark + 1);
  while (digits.ends_with('!')) digits.remove_suffix(1);
  if (digits.size() < 4 || digits.size() > 6 || !std::all_of(digits.begin(), digits.end(), is_digit) ||
      (digits.size() == 4 && (digits.starts_with("19") || digits.starts_with("20"))))
    return false;
  std::size_t steps = 0;
  for (std::size_t i = 1; i < digits.size(); ++i) steps += digits[i] == digits[i - 1] || digits[i] == digits[i - 1] + 1;
  return steps <= 1;
}

// "Admin@4321", "Qwerty!23": common words, but with all that a policy asks for: somebody made it to be used.
bool is_as_policies_want(std::string_view value) {
  const Makeup makeup = makeup_of(value);
  return value.size() >= 8 && value.size() <= 24 &&
         (makeup.digits >= 2 || (makeup.digits == 1 && makeup.uppers > 0 && makeup.lowers > 0)) &&
         (is_word_and_digits(value) ||
          (value.find_first_of("!@#$%^&*") != std::string_view::npos && !contains(lower(value), "passw"))) &&
         value.find_first_of("<>{}()[].") == std::string_view::npos && makeup.lowers >= 3 && !value.starts_with("$") &&
         !value.starts_with("@") && !value.starts_with("%");
}

}  // namespace imgbuild::proofs
