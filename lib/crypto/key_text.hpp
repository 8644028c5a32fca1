#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace imgbuild {

/// A key's text as it was before somebody pasted it: its lines, from `text`'s first byte up to the line that begins
/// with `end` (included), without what source code, JSON, YAML, XML, HTML, URLs, mails, patches, logs and shells put
/// around and between them. `before`: what stands before the key; its last line tells what each line begins with. A
/// line may still hold blanks where quotes or marks stood. At most 64 KiB are looked at. Does not throw.
std::vector<std::string> key_lines(std::string_view before, std::string_view text, std::string_view end);

/// `text`, the beginning of a key, up to where the next one begins.
std::string_view one_key(std::string_view text);

/// The words of a line, without those that are nothing but marks: "+", "//", "echo".
std::vector<std::string_view> key_words(std::string_view line);

/// Words of base64, one behind the other; without the mark of a patch, where each begins with it.
std::string joined_words(std::vector<std::string> words);

bool is_base64_text(std::string_view text);  ///< of the standard alphabet, padding anywhere; not empty

}  // namespace imgbuild
