#pragma once
#include <string>
#include <string_view>

#include "scan/scanner.hpp"

namespace imgbuild {

/// What a token needs that no border parts from the text before or behind it: in programs literals stand one behind the
/// other, in records a length or a column stands before a text. Any thread; nothing throws.

/// Whether a text may begin at `at` though no border is seen there: in a program, and where control characters stand
/// shortly before: the column before it, the end of "\x1b[32m".
bool may_adjoin(View text, std::size_t at, Scanner::Matter matter);

/// Could the bytes `before` a token be another text's end? Base64 and the mangled names of symbols go on for long, and
/// are no words. `marks`: what they hold beside letters and digits.
bool ends_another(std::string_view before, std::string_view marks = "_+/=-.$:");

/// Do the bytes before a token end with an escape, whose last letter belongs to no word: \n, %20, \040, #012, \033[1m?
bool ends_escape(std::string_view before);

/// Letters and digits that a '+' or '/' joins to more of what no words are: chance wrote them. `secret` lies in `all`.
bool is_of_base64(std::string_view all, std::string_view secret);

/// The same where nothing joins it: letters and digits go on before it and behind it.
bool is_within_base64(std::string_view all, std::string_view secret);

/// Does text go on and on around [begin, end), with hardly anything that ends one of many?
bool is_unbroken(View text, std::size_t begin, std::size_t end);

/// How much of a pattern's secret is known from its begin: "gh[pousr]_" is 4. A mark that names do not hold counts
/// twice.
std::size_t known_head(std::string_view pattern);

/// The pattern without the border that it wants behind it, and content with the least: what it takes is the shortest
/// that is a whole token.
std::string without_border(std::string_view pattern);

}  // namespace imgbuild
