#pragma once
#include <cstddef>
#include <optional>
#include <string_view>

namespace imgbuild {

/// Where a value stands apart from its name: name="NAME" value="VALUE", {"name": "NAME", "value": "VALUE"},
/// - name: NAME / value: VALUE, "NAME": {"value": "VALUE"}, variable "NAME" { default = "VALUE" }, | NAME | VALUE |,
/// NAME,VALUE as a line of a table, x, NAME = "y", "VALUE". `name` is where the name begins, `at` behind it and what
/// closes it (`closed`: quotes). The position behind the operator, or of the value; nullopt: nothing of the kind stands
/// there. Room-internal.
std::optional<std::size_t> behind_pair(std::string_view text, std::size_t name, std::size_t at, bool closed);

}  // namespace imgbuild
