// Packed streams in the midst of other bytes, and behind each other.
#include <catch2/catch.hpp>

#include "look.hpp"

using namespace imgbuild;
using namespace imgbuild::test;
using namespace std::string_literals;

namespace {

/// What a Python program writes that has `key` (a file's content), `packed(level, window bits, of)` and what it
/// imports.
std::string python(const std::string& program, const std::string& content = key()) {
  const TempDir folder;
  put(folder, "k", content);
  put(folder, "p.py",
      "import base64, bz2, gzip, lzma, random, struct, sys, zlib\n"
      "key = open('k', 'rb').read()\n"
      "def packed(level, bits, of=key):\n"
      "  c = zlib.compressobj(level, zlib.DEFLATED, bits); return c.compress(of) + c.flush()\n"
      "sys.stdout.buffer.write(" +
          program + ")\n");
  return shell(folder, "python3 p.py");
}

void check_finds(const std::string& content, const std::string& finds = "ssh.private-key file ") {
  for (const std::size_t piece : {0u, 1u, 7u, 100000u}) {
    INFO("in pieces of " << piece);
    const Look look(content, piece > 0, piece);
    CHECK(look.finds(finds));
    CHECK(look.gaps().empty());
  }
}

}  // namespace

TEST_CASE("A stream directly behind a stream of zlib's is found, wherever the first one ends") {
  for (const std::string next : {"zlib.compress(key)", "gzip.compress(key)", "lzma.compress(key)"})
    for (const std::string between : {"", "\\x00"})
      for (int size = 1; size < 100; size += 33) {
        INFO(next << " " << between << " " << size);
        const std::string content = python("b'\\1\\2\\3' + zlib.compress(bytes(range(65, 65 + 25)) * " +
                                           std::to_string(size) + ") + b'" + between + "' + " + next);
        CHECK(Look(content, true, 1).finds("ssh.private-key file "));
        CHECK(Look(content).finds("ssh.private-key file "));
      }
  check_finds(python("zlib.compress(b'one' * 100) + zlib.compress(key)"));
}

TEST_CASE("A stream of zlib's with a small window is found") {
  for (int bits = 9; bits < 15; ++bits)
    for (const int level : {0, 1, 9}) {
      INFO(bits << " " << level);
      const std::string wide = std::to_string(level) + ", " + std::to_string(bits);
      check_finds(python("b'\\1\\2\\3' + packed(" + wide + ") + b'more'"));
      // In blocks of a kind each: as small as a token, and larger than a window.
      check_finds(python("b'zTXtname\\0\\0' + packed(" + wide + ") + b'more'", token + "\n"), "github.token file ");
      check_finds(python("b'\\1' + packed(" + wide + ", random.Random(1).randbytes(20000).hex().encode() + key)"));
    }
}

TEST_CASE("lz4 in the midst of other bytes is opened, in frames and in the format of old") {
  const TempDir folder;
  put(folder, "k", key());
  for (const std::string command :
       {"lz4 -qc k", "lz4 -l -qc k", "lz4 -qc --content-size -BD k", "(lz4 -qc k; echo; lz4 -l -qc k)",
        "(echo more than a line | lz4 -qc; lz4 -qc k)", "(head -c 9000000 /dev/zero | tr '\\0' a; cat k) | lz4 -lqc"}) {
    INFO(command);
    check_finds("some bytes" + shell(folder, command));
    check_finds(shell(folder, command));
  }
  const std::string legacy = shell(folder, "lz4 -l -qc k"), frame = shell(folder, "lz4 -qc k");
  check_finds("ANDROID!" + legacy + "\xff\xff\xff\xff and more");
  check_finds(piped("lz4 -l -qc", "other") + frame);
  CHECK(Look(legacy.substr(0, legacy.size() - 9)).gaps() == std::vector<std::string>{"srv/file: truncated lz4 stream"});
  CHECK(Look(frame.substr(0, frame.size() - 9)).gaps() == std::vector<std::string>{"srv/file: truncated lz4 stream"});
  CHECK(Look("some bytes" + legacy.substr(0, 9)).is_clean());
}

TEST_CASE("A message of OpenPGP that is packed, and not encrypted, is read") {
  const TempDir folder;
  // A line of it lies across each place where a length may stand.
  std::string long_key;
  for (int i = 0; i < 3000; ++i) long_key += "a line of text\n";
  put(folder, "k", key());
  put(folder, "long", long_key + key());
  shell(folder, "mkdir -m 700 gh && gpg --homedir gh --batch --passphrase '' --quick-generate-key a@b 2>/dev/null");
  for (const std::string command :
       {"--store <k", "--store --compress-algo zlib <k", "--store --compress-algo bzip2 <k", "-a --store <long",
        "--store k", "-a --comment more --store k", "-s <long", "-a -s k", "-a -s -z 0 k"}) {
    INFO(command);
    const std::string message = shell(folder, "gpg --homedir gh --batch -q -o - " + command + " 2>/dev/null");
    REQUIRE_FALSE(message.empty());
    check_finds(message);
    if (command.starts_with("-a")) check_finds("a letter\n" + message + "more");
  }
  // In parts of 512 bytes each (RFC 9580, section 4.2.1.4).
  const std::string parts =
      R"PY((lambda body: b'\xc8' + b''.join(b'\xe9' + body[i:i + 512] for i in range(0, len(body) // 512 * 512, 512)) +
      (lambda rest: bytes([192 + (len(rest) - 192 >> 8), len(rest) - 192 & 255]) if len(rest) > 191 else bytes([len(rest)]))(body[len(body) // 512 * 512:]) +
      body[len(body) // 512 * 512:])(b'\1' + packed(9, -15, b'\xcb\xff' + struct.pack('>I', len(key) + 6) + b'b\0\0\0\0\0' + key)))PY";
  check_finds(python(parts, key() + piped("head -c 3000 /dev/urandom | base64", "")));
  const std::string whole = shell(folder, "gpg --homedir gh --batch -q --store <long");
  CHECK_FALSE(Look(whole.substr(0, whole.size() / 2)).gaps().empty());
  // Nothing but a beginning.
  CHECK(Look("\xa3\1 and text").is_clean());
}

TEST_CASE("brotli is known by a file's name, and by nothing but its whole content") {
  const TempDir folder;
  put(folder, "k", key());
  const std::string packed = shell(folder, "brotli -c k");
  const auto in_tar = [&](const std::string& name, const std::string& content) {
    put(folder, name, content);
    return shell(folder, "tar cf - '" + name + "'");
  };
  check_finds(in_tar("app.js.br", packed), "ssh.private-key file app.js.br");
  check_finds(piped("gzip -c", in_tar("app.js.br", packed)), "ssh.private-key file app.js.br");
  CHECK(Look(in_tar("text.br", "a text in Breton")).is_clean());
  check_finds(in_tar("text.br", "a text in Breton\n" + key()), "ssh.private-key file text.br");
  CHECK(Look(in_tar("cut.br", packed.substr(0, packed.size() / 2))).gaps().empty());
  const std::string zeros = shell(folder, "head -c 2000000000 /dev/zero | brotli -1 -c");
  CHECK_FALSE(Look(in_tar("zeros.br", zeros), false, 1 << 20, std::uint64_t{40} << 20).gaps().empty());
}

TEST_CASE("deflate and lz4 behind headers of their own are read: OSTree's files, Firefox's sessions") {
  const std::string ostree =
      "(lambda head: struct.pack('>II', len(head), 0) + head + packed(9, -15))(struct.pack('>QIIII', len(key), 0, 0, "
      "0o100644, 0) + b'\\0\\0')";
  check_finds(python(ostree));
  CHECK_FALSE(Look(python("(" + ostree + ")[:-40]")).gaps().empty());
  CHECK(Look(std::string(3000, '\0')).is_clean());
  const TempDir folder;
  put(folder, "k", key());
  // Of a frame with one block its data.
  const std::string frame = shell(folder, "lz4 -qc --no-frame-crc k");
  std::string size(4, '\0');
  for (std::size_t i = 0; i < 4; ++i) size[i] = static_cast<char>(key().size() >> 8 * i);
  const std::string session = std::string("mozLz40\0", 8) + size + frame.substr(11, frame.size() - 15);
  check_finds(session);
  CHECK(Look(session.substr(0, session.size() - 9)).gaps() ==
        std::vector<std::string>{"srv/file: damaged mozLz4 file"});
  CHECK(Look(std::string("mozLz40\0\xff\xff\xff\x7f", 12) + "x").gaps() ==
        std::vector<std::string>{"srv/file: mozLz4 file larger than 64 MiB"});
}

TEST_CASE("A phar's packed members are read") {
  // (By PHP's manual: a stub, a manifest, the contents.)
  const auto phar = [](const std::string& packing, const std::string& flags) {
    return python(
        "(lambda body: (lambda entries: b'<?php\\nexit;\\n__HALT_COMPILER(); ?>\\r\\n' + struct.pack('<IIHIII', "
        "len(entries) + 18, 2, 0x0011, 0, 0, 0) + entries + b'hello' + body)(b''.join(struct.pack('<I', len(n)) + "
        "n + struct.pack('<IIIIII', s, 0, z, 0, f, 0) for n, s, z, f in ((b'a', 5, 5, 0), (b'src/k.php', len(key), "
        "len(body), " +
        flags + ")))))(" + packing + ")");
  };
  check_finds(phar("packed(9, -15)", "0x11a4"), "ssh.private-key file src/k.php");
  check_finds(phar("bz2.compress(key)", "0x21a4"), "ssh.private-key file src/k.php");
  CHECK(Look("<?php __HALT_COMPILER(); and data").is_clean());
}

TEST_CASE("What zstd skips is looked at as content") {
  const std::string skipped = "struct.pack('<II', 0x184d2a53, len(gzip.compress(key))) + gzip.compress(key)";
  const TempDir folder;
  put(folder, "t", "text");
  const std::string frame = shell(folder, "zstd -qc t"), head = python(skipped);
  check_finds(frame + head);
  check_finds(head + frame);
  check_finds(frame + head + frame + "more");
  CHECK(Look(frame + std::string("S*M\x18\x10", 5)).gaps() ==
        std::vector<std::string>{"srv/file: truncated zstd stream"});
}

TEST_CASE("pax records and long names that no member follows are looked at") {
  const std::string record =
      "python3 -c \"import tarfile, sys; t = tarfile.TarInfo('a'); t.pax_headers = {'comment': '" + token +
      "'}; b = t.tobuf(tarfile.PAX_FORMAT); sys.stdout.buffer.write(b[:-512] + b'\\0' * 1024)\"";
  CHECK(Look(piped(record, "")).finds("github.token tail "));
  const std::string name = "python3 -c \"import tarfile, sys; t = tarfile.TarInfo('" + token +
                           " ' + 'a row of words ' * 12); "
                           "b = t.tobuf(tarfile.GNU_FORMAT); sys.stdout.buffer.write(b[:-512] + b'\\0' * 1024)\"";
  CHECK(Look(piped(name, "")).finds("github.token tail "));
}
