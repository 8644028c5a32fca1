#pragma once
#include <string>
#include <string_view>

#include "scan/runs.hpp"

namespace imgbuild {

/// Does a word of it say that a secret is meant? In whatever case.
bool says_secret(std::string_view line);

/// What the value is given to that stands behind the line, which is cut before it; empty: nothing that has a name.
std::string_view name_before_value(std::string_view line);

/// What the value in [begin, end) of the line is given to, however that is written: `pw <- f(`, `(setq my-pass (f `,
/// `define('PASS', f(`, a password that the text before it speaks of, a comment behind it, or a file or command that it
/// goes to: "password" then. Empty: nothing that says secret.
std::string_view name_around(std::string_view line, std::size_t begin, std::size_t end);

/// The name that a value is shown with: rules take no notice of a bare "key".
std::string shown_name(std::string_view name, std::string_view value);

/// NAME="VALUE": `name`, which stands at `name_at` or says what does, with the value of [begin, end). Its lead is left
/// 0.
DecodedRun assigned_run(const char* encoding, std::string_view name, std::size_t name_at, std::string_view value,
                        std::size_t begin, std::size_t end);

/// What a run says alone, as the assignment that its line makes of it: of `db_password = atob("...")` what is decoded
/// is shown as db_password="...". False: it is no short text, or no name that says secret is given it.
bool name_run(View text, const DecodedRun& run, DecodedRun& named);

}  // namespace imgbuild
