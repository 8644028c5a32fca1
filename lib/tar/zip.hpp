#pragma once
#include "base/whole.hpp"

namespace imgbuild {

/// Does a zip hold local headers that its central directory does not list? True also where the tables are not plain
/// enough to tell. Throws what the Whole throws.
bool has_unlisted(const Whole& zip);

}  // namespace imgbuild
