#pragma once
#include "base/bytes.hpp"

namespace imgbuild {

/// Does a file that begins like this say of itself that it is nothing but encrypted? What age, OpenPGP (to a key or
/// with a passphrase, also in an armor of its own), KeePass, LUKS, Vim, OpenSSL's enc, AES Crypt, rclone, BitLocker,
/// encrypted disk images of macOS and Office's encrypted documents write. Not what ansible-vault and git-crypt write:
/// those are files of a project that are meant to be seen so. Of its first container_head_size bytes, or all there are.
bool is_sealed(View head);

}  // namespace imgbuild
