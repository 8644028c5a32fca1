#pragma once
#include <memory>
#include <optional>

#include "base/bytes.hpp"
#include "base/whole.hpp"

namespace imgbuild {

class ArchiveVisitor;

/// A message of OpenPGP that is packed and not encrypted (RFC 9580, section 5.6), as `gpg --store` and `gpg --sign`
/// write it: its first packet is of packed data, and what that holds begins as a message does.
bool begins_openpgp(View head);

/// The content of its literal data, without the lengths that stand in its midst. Throws Error, in next() too. The whole
/// must outlive it.
std::unique_ptr<Source> read_openpgp(const Whole& whole);

/// A file as OSTree's archives keep it (.filez): a header of big-endian numbers that makes sense, then deflate. Where
/// the latter begins; nullopt: it is none.
std::optional<std::size_t> ostree_content(View head);

/// Where the manifest of a phar, PHP's archive, begins behind the end of its stub (PHP manual, "Phar file format"),
/// given the bytes from "__HALT_COMPILER();" on; nullopt: they are none.
std::optional<std::size_t> phar_manifest(View from_halt);

/// The members of a phar that are packed; the others lie in it as they are. Throws Error.
void read_phar(const Whole& from_halt, ArchiveVisitor& visitor);

/// What a block of lz4 unpacks to that has its size before it, as Mozilla writes it ("mozLz40"). Throws Error "damaged
/// mozLz4 file", TooLarge.
Bytes read_mozlz4(const Whole& whole);

}  // namespace imgbuild
