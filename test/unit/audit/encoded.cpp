// Texts and bytes that are written in another way, and what is packed in one that nobody here reads.
#include <catch2/catch.hpp>

#include "look.hpp"

using namespace imgbuild;
using namespace imgbuild::test;
using namespace std::string_literals;

TEST_CASE("UTF-16 and UTF-32 text is read, with a byte order mark or without") {
  std::string text = "token = " + token + "\r\nand more of the same\r\n";
  for (const std::string form : {"16LE", "16BE", "32LE", "32BE"})
    for (const std::string mark : {"", "\xEF\xBB\xBF",
                                   "\xEF\xBB\xBF"
                                   "\xF0\x9F\x94\x91 \xC3\xA9"}) {
      const std::string wide = piped("iconv -f UTF-8 -t UTF-" + form, mark + text);
      for (const bool streamed : {false, true}) {
        const Look look(wide, streamed, 7);
        CHECK(look.hits() == std::vector<std::string>{"github.token file "});
        CHECK(look.record.found.at(0).hit.decoded == std::vector<std::string>{"utf-" + form.substr(0, 2)});
      }
    }
}

TEST_CASE("What is packed and encoded in UTF-16 text is read, too") {
  const TempDir folder;
  put(folder, "k", key());
  const std::string wide =
      shell(folder, "(echo; echo -n 'a=\"'; gzip -nc k | base64 -w0; echo '\"') | iconv -t UTF-16");
  for (const bool streamed : {false, true}) {
    const Look look(wide, streamed, 777);
    CHECK(look.finds("ssh.private-key file "));
    CHECK(look.gaps().empty());
  }
}

TEST_CASE("What a text encodes is read: uuencode, Ascii85, and binary patches of git's") {
  const TempDir folder;
  put(folder, "k", "x" + std::string(200, '\n') + key());
  put(folder, "t", token);
  shell(folder, "tar cf k.tar k && gzip -kn k && git init -q r && cp k r/b && printf '\\0' >>r/b && cd r && git add b");
  put(folder, "uu.py",
      "import binascii, sys; data = open(sys.argv[1], 'rb').read(); w = sys.stdout.buffer.write\n"
      "w(b'text\\nbegin 0644 some name\\n')\n"
      "for i in range(0, len(data), 45):\n"
      "  line = binascii.b2a_uu(data[i:i + 45], backtick=sys.argv[2][0] == '`')\n"
      "  w(line.replace(b'\\n', b'\\r\\n') if sys.argv[2] == '`r' else line.rstrip() + b'\\n' if sys.argv[2] == 's' "
      "else "
      "line)\n"
      "w(sys.argv[2][0].replace('s', ' ').encode() + b'\\nend\\nmore')\n");
  const auto a85 = [](const std::string& name, const std::string& more) {
    return "python3 -c \"import base64; d = open('" + name +
           "', 'rb').read(); print('x = <' + '~' + base64.a85encode(" + more + ").decode() + '~' + '> end')\"";
  };
  using Road = std::vector<std::string>;
  const std::string ssh = "ssh.private-key file ", github = "github.token file ";
  for (const auto& [command, finds, road] : {
           std::tuple("python3 uu.py k ' '"s, ssh, Road{"uuencode"}),
           std::tuple("python3 uu.py k '`'"s, ssh, Road{"uuencode"}),
           std::tuple("python3 uu.py k '`r'"s, ssh, Road{"uuencode"}),
           std::tuple("python3 uu.py k s"s, ssh, Road{"uuencode"}),
           std::tuple("python3 uu.py t '`'"s, github, Road{"uuencode"}),
           std::tuple("python3 uu.py k.gz '`'"s, ssh, Road{"uuencode", "gzip"}),
           std::tuple("(python3 uu.py t s | head -n -3; python3 uu.py k '`')"s, ssh, Road{"uuencode"}),
           std::tuple("python3 uu.py k.tar s"s, ssh + "k", Road{}),
           std::tuple(a85("t", "d"), github, Road{"ascii85"}),
           std::tuple(a85("k", "d, wrapcol=72"), ssh, Road{"ascii85"}),
           std::tuple(a85("k.gz", "d"), ssh, Road{"ascii85", "gzip"}),
           std::tuple("cd r && git diff --cached --binary"s, ssh, Road{"base85", "zlib"}),
           std::tuple("cd r && git diff --cached --binary -R"s, ssh, Road{"base85", "zlib"}),
       })
    for (const std::size_t piece : {0u, 1u, 50u, 100000u}) {
      INFO(command << " in pieces of " << piece);
      const Look look(shell(folder, command), piece > 0, piece);
      REQUIRE(look.finds(finds));
      for (const auto& one : look.record.found) CHECK(one.hit.decoded == road);
      CHECK(look.gaps().empty());
    }
  // A book on it, and a million of its first lines.
  CHECK(
      Look("begin 644 name\n\nbegin 644 the data\nends with a line of\n`\nend\n <~ and ~> mark Ascii85, <~~> is none\n")
          .is_clean());
  std::string lines, row;
  for (int i = 0; i < 1'000'000; ++i) lines += "begin 644 a\n";
  CHECK(Look(lines).is_clean());
  for (int i = 0; i < 30'000; ++i) row += "begin 644 a\n#86)C\n<~87cURD]j7BEbo80~>\nGIT binary patch\nliteral 3\n";
  CHECK(Look(row, true).is_clean());
}

TEST_CASE("What is packed in a way that nobody here reads is told; what only begins alike is not") {
  const auto at = [](std::string bytes, std::size_t position, const std::string& more) {
    bytes.resize(std::max(bytes.size(), position + more.size()));
    return bytes.replace(position, more.size(), more);
  };
  const std::string tail(3000, 'x'), magic("MSWIM\0\0\0", 8), erofs("\xe2\xe1\xf5\xe0");
  const std::string arj = piped(
      "python3 -c \"import struct, sys, zlib; h = b'\\x1e\\x0b\\1\\2\\0\\0\\2'.ljust(30, b'\\0') + b'a.arj\\0\\0'; "
      "sys.stdout.buffer.write(b'\\x60\\xea' + struct.pack('<H', len(h)) + h + struct.pack('<I', zlib.crc32(h)))\"",
      "");
  const std::tuple<std::string, std::string> closed[] = {
      {"lzop", std::string("\x89LZO\0\r\n\x1a\n\x10\x40", 11)},
      {"lrzip", std::string("LRZI\0\6", 6)},
      {"zpaq", "7kSt\xa0\x31\x83\xd3\x8c\xb2\x28\xb0\xd3zPQ\2\1"},
      {"zpaq", "zPQ\1\1"},
      {"arj", arj},
      {"zoo", at("ZOO 2.10 Archive.\x1a", 20, "\xdc\xa7\xc4\xfd")},
      {"wim", at(magic, 16, "\2")},
      {"erofs", at(at("", 1024, erofs), 1024 + 80, "\1")},
  };
  for (const auto& [name, head] : closed)
    for (const bool streamed : {false, true}) {
      INFO(name);
      CHECK(Look(head + tail, streamed, 100).gaps() == std::vector<std::string>{"srv/file: no reader for " + name});
      CHECK(Look(head + "\n" + key() + tail, streamed, 100).finds("ssh.private-key file "));
      CHECK(Look(" " + head + tail, streamed, 100).is_clean());
    }
  for (const std::string& open :
       {std::string("LRZIP packs"), std::string("zPQ\1"), at(arj, 12, "\1"), at(magic, 16, ""),
        std::string("ZOO of all animals"), at("", 1024, erofs + std::string(128, '\0'))})
    CHECK(Look(open + tail).is_clean());
  // Of qcow2, what cannot be read; tables that all are one end.
  const std::string disk = at(at(std::string("QFI\xfb\0\0\0\2", 8), 20, std::string("\0\0\0\x09", 4)), 5000, "end");
  const std::string tables = std::string("\0\x0f\xff\xff\0\0\0\0\0\0\2\0", 12);
  const auto gap = [&](const std::string& content) { return Look(content).gaps(); };
  using Gaps = std::vector<std::string>;
  CHECK(gap(disk).empty());
  CHECK(gap(at(disk, 7, "\1")) == Gaps{"srv/file: no reader for qcow of version 1"});
  CHECK(gap(at(disk, 35, "\1")) == Gaps{"srv/file: encrypted"});
  CHECK(gap(at(disk, 63, "\1")) == Gaps{"srv/file: qcow2 image whose snapshots are not read"});
  CHECK(gap(at(disk, 23, "\x08")) == Gaps{"srv/file: damaged qcow2 image"});
  std::string row = at(disk, 36, tables);
  for (std::size_t i = 512; i < 4000; i += 8) row = at(row, i, std::string("\x80\0\0\0\0\0\4\0", 8));
  CHECK(gap(row) == Gaps{"srv/file: damaged qcow2 image"});
}
