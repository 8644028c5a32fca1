// Blocks of databases and logs that are longer than what is unpacked of one: nothing of them is passed over in silence.
#include <catch2/catch.hpp>

#include "look.hpp"

using namespace imgbuild;
using namespace imgbuild::test;
using namespace std::string_literals;

namespace {

/// What Debian's Python writes, given `large`, 9 MiB that pack badly, and `small`.
std::string python(const std::string& program) {
  const TempDir folder;
  put(folder, "p.py",
      "import lz4.block, random, snappy, struct, sys, zlib\n"
      "large = random.Random(1).randbytes(9 << 19).hex().encode()\n"
      "small = large[:5000] + b'\\nGITHUB_TOKEN=" +
          token +
          "\\n'\n"
          "def raw(of): c = zlib.compressobj(9, zlib.DEFLATED, -15); return c.compress(of) + c.flush()\n"
          "def lz(of): return lz4.block.compress(of, store_size=False)\n"
          "def n(v):\n"
          "  v <<= 1; out = b''\n"
          "  while v > 127: out += bytes([v & 127 | 128]); v >>= 7\n"
          "  return out + bytes([v])\n"
          "def lzf(of): return b''.join(bytes([len(of[i:i + 32]) - 1]) + of[i:i + 32] for i in range(0, len(of), 32))\n"
          "sys.stdout.buffer.write(" +
          program + ")\n");
  return shell(folder, "/usr/bin/python3 p.py");
}

void check_told(const std::string& content, const std::string& why = "holds a packed block larger than 8 MiB") {
  REQUIRE(content.size() > 100);
  for (const std::size_t piece : {std::size_t{0}, std::size_t{100'000}}) {
    INFO("in pieces of " << piece);
    const Look look(content, piece > 0, piece);
    REQUIRE(look.gaps() == std::vector<std::string>{"srv/file: " + why});
    CHECK(look.record.gaps[0].sha256.size() == 71);
    CHECK(look.record.gaps[0].bytes == content.size());
  }
}

}  // namespace

TEST_CASE("A block of Avro's that is too large is told, and those behind it are read") {
  for (const auto& [codec, pack] :
       {std::pair("snappy", "snappy.compress(p) + b'4444'"), std::pair("deflate", "raw(p)")}) {
    INFO(codec);
    const std::string file =
        python("b'Obj\\1' + n(1) + n(10) + b'avro.codec' + n(" + std::to_string(std::string(codec).size()) + ") + b'" +
               codec + "' + b'\\0' + b'S' * 16 + b''.join(n(1) + n(len(c)) + c + b'S' * 16 for c in (" +
               "(lambda p: " + pack + ")(p) for p in (large, small)))");
    check_told(file);
    CHECK(Look(file).finds("github.token file "));
  }
}

TEST_CASE("A block that is none is told where its file says that it is one") {
  check_told(
      python("b'Obj\\1' + n(1) + n(10) + b'avro.codec' + n(6) + b'snappy' + b'\\0' + b'S' * 16 + n(1) + n(500) + "
             "random.Random(1).randbytes(500) + b'S' * 16"),
      "holds a block that cannot be unpacked");
}

TEST_CASE("A page of Parquet's that is too large is told, unless what packs it is known anywhere") {
  const auto file = [](const std::string& pack) {
    return python(
        "b'PAR1' + b''.join((lambda c: b'\\x15\\0\\x15' + n(len(p)) + b'\\x15' + n(len(c)) + "
        "b'\\x2c\\x15\\2\\x15\\0\\x15\\6\\x15\\6\\x1c\\x18\\4text\\0\\0\\0' + c)(" +
        pack + ") for p in (large, small))");
  };
  check_told(file("snappy.compress(p)"));
  CHECK(Look(file("__import__('gzip').compress(p)")).gaps().empty());
}

TEST_CASE("A value of Redis' that is too large is told") {
  check_told(python(
      "(lambda c: b'REDIS0011\\0\\1k\\xc3\\x80' + struct.pack('>I', len(c)) + b'\\x80' + struct.pack('>I', len(c) + "
      "9) + c)(lzf(large))"));
}

TEST_CASE("A page of WiredTiger's that is too large is told") {
  check_told(
      python("(lambda c: struct.pack('<IHHI', 120897, 1, 0, 0).ljust(4096, b'\\0') + (bytes(25) + b'\\1\\0\\1' + "
             "struct.pack('<III', (72 + len(c) + 511) // 512 * 512, 0, 1) + bytes(24) + struct.pack('<Q', len(c)) + "
             "c).ljust((72 + len(c) + 511) // 512 * 512, b'\\0'))(snappy.compress(large))"));
}

TEST_CASE("A journal's entry that is too large is told") {
  check_told(
      python("(b'LPKSHHRH' + struct.pack('<II', 0, 2)).ljust(88, b'\\0') + struct.pack('<Q', 208) + bytes(112) + "
             "(lambda c: b'\\1\\2' + bytes(6) + struct.pack('<Q', 72 + len(c)) + bytes(48) + struct.pack('<Q', "
             "len(large)) + c)(lz(large))"));
}

TEST_CASE("A chunk of Borg's and a batch of Kafka's that are too large are told") {
  check_told(
      python("b'BORG_SEG' + (lambda c: struct.pack('<IIB', 0, 44 + len(c), 0) + bytes(32) + b'\\2\\1\\0' + "
             "c)(lz(large))"));
  check_told(
      python("(lambda c: struct.pack('>qiibIhiqqqhii', 0, 49 + len(c), 0, 2, 0, 2, 0, 0, 0, 0, 0, 0, 1) + "
             "c)(snappy.compress(large))"));
}

TEST_CASE("A file of blocks that lies too deep to be opened is told") {
  std::string deep = "%PDF-1.4\n1 0 obj<</Filter/RunLengthDecode>>stream\n\x80\nendstream\n";
  for (int i = 0; i < 8; ++i) deep = piped("gzip -nc", deep);
  const auto gaps = Look(deep).gaps();
  REQUIRE(gaps.size() == 1);
  CHECK(gaps[0].ends_with("deeper than 8"));
}
