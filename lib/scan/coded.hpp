#pragma once
#include <cstddef>

#include "scan/turned.hpp"

namespace imgbuild {

/// Shows the short texts that a line spells out in a way of its own, as what they are assigned to: rows of numbers or
/// of letters (CHAR(104)+CHAR(111), {'h', 'o'}, 68 6f of which a call makes characters, 01101000 01101111), literals of
/// nothing but escapes, what is shifted by one or XORed with a byte, and Replace("h#o", "#", "").
/// `at`: where a word of Road::code stands. Where the next word is to be looked at again. Room-internal.
std::size_t show_coded(View text, std::size_t at, const SeeRun& see);

/// Shows the output of a terminal's recording as one text: of asciicast files, whose lines are [1.02, "o", "text"].
/// `at`: where the kind of a line stands (https://docs.asciinema.org/manual/asciicast/v2/).
std::size_t show_cast(View text, std::size_t at, std::size_t limit, const SeeRun& see);

/// Shows a secret that is told in halves: "first half: ...", and in a line behind it "second half: ...". `at`: where
/// the words of the second stand.
std::size_t show_halves(View text, std::size_t at, const SeeRun& see);

}  // namespace imgbuild
