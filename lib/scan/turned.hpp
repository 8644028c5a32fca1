#pragma once
#include <cstddef>
#include <functional>
#include <vector>

#include "scan/runs.hpp"

/// Texts that their own line turns round, or out of which something is left. Each function is given where its word
/// stands, and says how far it has read: what stands before that needs no second look. Room-internal.
namespace imgbuild {

using SeeRun = std::function<void(DecodedRun&, OwnedRange)>;

std::size_t show_reversed(View text, std::size_t at, const SeeRun& see);
std::size_t show_rot13(View text, std::size_t at, const SeeRun& see);
/// A letter thirteen letters further; any other character as it is.
char rot13(char c);
/// A line that goes on with indentation behind it, <wbr>, markup and colours in the midst of a word: what stands at
/// such places is nothing.
std::size_t show_dropped(View text, std::size_t at, std::size_t limit, const SeeRun& see);

/// A token that begins at `at` and goes on in the next lines, as a terminal of some width breaks it: every line but the
/// last has that width, and nothing but the token stands in them.
std::size_t show_wrapped(View text, std::size_t at, const SeeRun& see);

/// Shows what stands around line breaks of quoted-printable that are none, with all its escapes resolved. `breaks`:
/// where their = stands, ascending; `offset`: the position of text[0] in its stream.
void show_printable(View text, std::uint64_t offset, const std::vector<std::size_t>& breaks, const SeeRun& see);

/// Is the line feed at `at` one that folds a line, within what may be a token? Calendars, cards and LDIF break a long
/// line and begin the next with a blank (RFC 5545 section 3.1, RFC 2849).
bool is_fold(View text, std::size_t at);
/// Shows what stands around such line feeds, unfolded. As show_printable().
void show_folded(View text, std::uint64_t offset, const std::vector<std::size_t>& folds, const SeeRun& see);

/// May a token go over [begin, end), which is nothing or one character of it?
bool parts_token(View text, std::size_t begin, std::size_t end);

}  // namespace imgbuild
