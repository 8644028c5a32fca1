#pragma once
#include <cstddef>

#include "scan/turned.hpp"

/// Texts whose name does not stand beside them but at the head of their column, or before the list that they are in.
/// Each function is given where its word stands and how far it may read, and says how far it has read: what stands
/// before that needs no second look. A row is shown as the assignment that it means: password="VALUE". Room-internal.
namespace imgbuild {

/// The word ends the name of a column: of lines (CSV with any separator, Markdown), of rows in brackets (SQL's INSERT,
/// pytest's parametrize, a table of structs in Go).
std::size_t show_column(View text, std::size_t at, std::size_t behind, std::size_t limit, const SeeRun& see);

/// The word ends the name of a list whose rows are a user and a password: [("ada", "x")], {"ada": "x"}.
std::size_t show_pairs(View text, std::size_t behind, std::size_t limit, const SeeRun& see);

}  // namespace imgbuild
