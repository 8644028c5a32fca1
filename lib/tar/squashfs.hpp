#pragma once
#include "base/whole.hpp"
#include "tar/archive.hpp"

namespace imgbuild {

/// Opens a SquashFS 4.0 image (snap packages, live systems), file by file. As read_archive().
bool read_squashfs(const Whole& whole, ArchiveVisitor& visitor);

}  // namespace imgbuild
