#pragma once
#include <cstddef>
#include <string_view>

/// What code and pages say of a value that stands elsewhere. Room-internal.
namespace imgbuild {

/// Does an expression, up to its first quote, look something up ("os.environ.get(", "t(", "config[")? Then the text in
/// the quotes is the name of the secret, not the secret.
bool is_lookup(std::string_view expression);

/// The quote of what stands there when nobody says otherwise: os.environ.get("X", "VALUE"), process.env.X || 'VALUE',
/// a ? b : "VALUE". In a line from the value's place on; npos: nothing does.
std::size_t default_of(std::string_view line);

/// Is a tag, from its name on, one of HTML that holds text for people (h1 to h6, label, td...)?
bool is_of_a_page(std::string_view tag);

/// "host=db,password=x,ssl=true": does a name of `least` characters or more begin at `at`, and an equals sign behind
/// it?
bool begins_setting(std::string_view text, std::size_t at, std::size_t least = 2);

/// "host=db user=ada", before the name of the next: does the text end in a setting whose value is not quoted?
bool ends_in_setting(std::string_view text);

/// Does it begin with an ampersand or a quote of HTML?
bool begins_entity(std::string_view text);

/// Behind what may stand between a name and its value and is no part of either, from `at` on: C#'s accessors
/// ("{ get; set; }"), a YAML anchor ("&name "), the type of a text in smali. `at` itself where nothing of the kind
/// stands there.
std::size_t behind_decoration(std::string_view text, std::size_t at);

/// Where the attributes of an element end, of which the first was read up to `at`: the position of its '>'; npos: they
/// do not, or have no text behind them.
std::size_t end_of_attributes(std::string_view text, std::size_t at);

}  // namespace imgbuild
