#pragma once
#include <map>
#include <string>
#include <vector>

/// Images under test, described in text (testdata/images/*.txt): a header of `key: value` lines that says the verdict,
/// a blank line, then layers and what is in them.
///
///   layer [gzip|zstd|xz] CREATED BY...      begins a layer, oldest first
///     file PATH TEXT                        `\n` is a new line; also: dir PATH, symlink PATH TARGET, hardlink PATH
///     xattr PATH NAME=VALUE                 TARGET, pax PATH KEY=VALUE
///     pack PATH COMMAND | INNER TEXT        a tar of one file, through a command ("gzip -c")
///     through PATH COMMAND | TEXT           the text, through a command ("base64 -w0")
///     zip PATH [-P WORD] | INNER TEXT
///     tail TEXT                             after the end mark; also: cut BYTES, change BYTE
///   env K=V, label K=V, history TEXT        of the config; history lines have no layer
///   member NAME TEXT                        one more member of the archive
///
/// In texts `{{}}` is nothing, and @KEY@, @OTHER_KEY@ (private keys), @PUBLIC@ (the first one's public line) are made
/// when the tests run: nothing in the repository looks like a credential.
namespace imgbuild::test {

struct ImageText {
  std::string name;
  std::multimap<std::string, std::string> header;
  std::string body;
  std::string said(const std::string& key) const;
};

std::vector<ImageText> read_images(const std::string& folder);
ImageText read_image(const std::string& name, const std::string& text);

enum class Layout { old, oci };
/// The archive as `docker save` writes it: before Engine 25, or since.
std::string archive_of(const ImageText& image, Layout layout);

/// Text with its macros filled in.
std::string filled(const std::string& text);
/// What a shell command prints, given `in`.
std::string piped(const std::string& command, const std::string& in);

}  // namespace imgbuild::test
