#pragma once
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"

namespace imgbuild {

/// What a PDF says of its standard security handler (ISO 32000-1, 7.6.3; ISO 32000-2, 7.6.4 for revisions 5 and 6).
struct PdfHandler {
  int revision = 0;
  std::size_t key_size = 5;       ///< bytes
  std::uint32_t permissions = 0;  ///< /P
  bool metadata = true;           ///< /EncryptMetadata
  View owner, user, user_key;     ///< /O, /U, /UE
  View id;                        ///< the first of /ID
};

enum class PdfCipher { none, rc4, aes };

/// The key of a file whose user password is empty, so that everybody can read it; nullopt: it has another one, or no
/// revision from 2 to 6. Any thread; does not throw.
std::optional<Bytes> open_pdf(const PdfHandler& handler);

/// A string, or a stream, of an object under a file's key; of AES what is whole blocks. `key`: of 32 bytes it is that
/// of revision 5 or 6, and the same for all objects. Any thread; does not throw but where there is no memory.
Bytes decrypt_pdf(View key, PdfCipher cipher, std::uint32_t object, std::uint32_t generation, View sealed);

}  // namespace imgbuild
