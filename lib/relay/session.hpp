#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "base/stream.hpp"

/// The relay: a small static program in the builder (lib/relay/guest/), and the driver's side of its conversation.
/// Everything enters over an exec's standard input in frames of a stated length and leaves over its output.
namespace imgbuild {

/// The embedded relay program for a platform ("amd64", "arm64"); empty where there is none.
View relay_program(std::string_view architecture);

}  // namespace imgbuild
