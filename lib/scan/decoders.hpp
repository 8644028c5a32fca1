#pragma once
#include <cstddef>
#include <functional>
#include <string>

#include "scan/runs.hpp"

namespace imgbuild {

/// Shows the short texts that a call decodes, as what they are assigned to: of `pw = b64decode("...")`,
/// `PASS=$(echo ... | base64 -d)`, `$pass = chr(80) . chr(101)...` and `x = bytes.fromhex("...")  # password` what is
/// decoded is shown as pw="...".
/// Short: those that decode_runs() finds without a call are left to it. `at`: where a word of the call stands (of
/// Road::decode); its line is looked at. Where the next word is to be looked at again.
std::size_t show_decoded(View text, std::size_t at, const std::function<void(DecodedRun&, OwnedRange)>& see);

/// The password that was decoded: printable, of 6 characters or more, without blanks; of UTF-16, as PowerShell writes
/// it, every other byte. Empty: it is none.
std::string password_of(std::string value);

}  // namespace imgbuild
