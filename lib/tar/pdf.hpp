#pragma once
// What lib/tar's readers of PDF share.
#include <string>
#include <string_view>
#include <vector>

#include "base/whole.hpp"
#include "tar/block_file.hpp"

namespace imgbuild {

/// ISO 32000-1, 7.2.2.
inline bool is_pdf_space(char c) { return std::string_view("\0\t\n\f\r ", 6).find(c) != std::string_view::npos; }
inline bool is_pdf_delimiter(char c) { return std::string_view("()<>[]{}/%").find(c) != std::string_view::npos; }

/// The string that begins at `at` with '(', with its escapes undone (7.3.4.2). `at`: behind it.
std::string pdf_literal(std::string_view content, std::size_t& at);
/// Of hexadecimal digits, up to '>'.
Bytes pdf_hex(View text);

/// The names behind a stream dictionary's /Filter.
std::vector<std::string> pdf_filters(std::string_view dictionary);
bool knows_pdf_filters(const std::vector<std::string>& filters);
/// Does a predictor stand before the filters?
bool pdf_predicts(std::string_view dictionary);
/// What the filters leave of a stream, at most most_unblocked of each; up to the first one that nobody knows here.
Bytes unpack_pdf(View stream, std::string_view dictionary);

/// What a page's content shows; empty where it is no page's.
std::string pdf_shown(View content);

/// Looks once more at a PDF, all of it, where it is encrypted: what its strings and streams are goes into `sink`. Says
/// what could not be looked at; empty: nothing, or it is not encrypted.
std::string look_at_sealed_pdf(const Whole& pdf, const PdfOpener& opener, const BlockFile::Sink& sink);

}  // namespace imgbuild
