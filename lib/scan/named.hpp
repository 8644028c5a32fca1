#pragma once
#include <string_view>

#include "scan/runs.hpp"

namespace imgbuild {

/// Does a word of it say that a secret is meant? In whatever case.
bool says_secret(std::string_view line);

/// What a run says alone, as the assignment that its line makes of it: of `db_password = atob("...")` what is decoded
/// is shown as db_password="...". False: it is no short text, or no name that says secret is given it.
bool name_run(View text, const DecodedRun& run, DecodedRun& named);

}  // namespace imgbuild
