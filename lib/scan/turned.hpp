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
/// A line that goes on with indentation behind it, <wbr>: what stands at such places is nothing.
std::size_t show_dropped(View text, std::size_t at, std::size_t limit, const SeeRun& see);

/// Shows what stands around line breaks of quoted-printable that are none, with all its escapes resolved. `breaks`:
/// where their = stands, ascending; `offset`: the position of text[0] in its stream.
void show_printable(View text, std::uint64_t offset, const std::vector<std::size_t>& breaks, const SeeRun& see);

}  // namespace imgbuild
