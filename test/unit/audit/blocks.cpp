// Files of databases and logs, whose values are packed in blocks: made by the programs themselves where they are at
// hand, else by what their formats say.
#include <catch2/catch.hpp>

#include "look.hpp"

using namespace imgbuild;
using namespace imgbuild::test;
using namespace std::string_literals;

namespace {

/// A text whose token no packing that copies from what came before leaves in one piece.
std::string text() {
  std::string text;
  for (int i = 0; i < 4; ++i)
    text += "# settings of the service, see README\n# GITHUB_TOKEN=" + token.substr(0, 8) + "xxxxxxxxx" +
            token.substr(20, 9) + "\n";
  return text + "GITHUB_TOKEN=" + token + "\n# end of the settings of the service\n";
}

/// What Debian's Python writes that has `text`, `filler(size)`, which packs badly, and snappy and lz4.
std::string python(const std::string& program) {
  const TempDir folder;
  put(folder, "t", text());
  put(folder, "p.py",
      "import lz4.block, random, snappy, struct, sys, zlib\n"
      "text = open('t', 'rb').read()\n"
      "def filler(size): return random.Random(1).randbytes(size // 2).hex().encode()\n"
      "def raw(of): c = zlib.compressobj(9, zlib.DEFLATED, -15); return c.compress(of) + c.flush()\n"
      "def lz(of): return lz4.block.compress(of, store_size=False)\n"
      "def pglz(of):\n"
      "  items, at = [], 0\n"
      "  while at < len(of):\n"
      "    size = next((n for n in range(17, 3, -1) if at + n <= len(of) and of[at:at + n] in of[:at]), 1)\n"
      "    back = at - of.rfind(of[at:at + size], 0, at)\n"
      "    items.append(of[at:at + 1] if size == 1 else bytes([back >> 8 << 4 | size - 3, back & 255]))\n"
      "    at += size\n"
      "  return struct.pack('<I', len(of)) + b''.join(bytes([sum(1 << i for i, x in enumerate(items[g:g + 8]) if "
      "len(x) > 1)])"
      " + b''.join(items[g:g + 8]) for g in range(0, len(items), 8))\n"
      "sys.stdout.buffer.write(" +
          program + ")\n");
  return shell(folder, "/usr/bin/python3 p.py");
}

void check_finds(const std::string& content) {
  REQUIRE(content.size() > 100);
  REQUIRE(content.find(token) == std::string::npos);
  for (const std::size_t piece : {0u, 1u, 100000u}) {
    INFO("in pieces of " << piece);
    const Look look(content, piece > 0, piece);
    CHECK(look.finds("github.token file "));
    CHECK(look.gaps().empty());
    // Where something was cut off or damaged, what is whole is found; and nothing is worse than nothing.
  }
  for (const std::size_t size : {content.size() / 2, content.size() - 1}) {
    CHECK(Look(content.substr(0, size)).gaps().empty());
    CHECK(Look(content.substr(0, size), true, 7).hits() == Look(content.substr(0, size)).hits());
  }
}

}  // namespace

TEST_CASE("What Redis packed is read: its dump, and the one before its commands") {
  const TempDir folder;
  put(folder, "t", text());
  const std::string files = shell(
      folder,
      "redis-server --port 0 --unixsocket s --dir . --save '' --appendonly yes --daemonize yes --pidfile p >/dev/null; "
      "for i in $(seq 100); do [ -S s ] && break; sleep 0.1; done; "
      "seq 1 2000 | sed 's/.*/SET k& value-&/' | redis-cli -s s >/dev/null; redis-cli -s s -x SET settings <t "
      ">/dev/null; "
      "redis-cli -s s RPUSH list \"$(cat t)\" >/dev/null; redis-cli -s s BGREWRITEAOF >/dev/null; "
      "while redis-cli -s s INFO persistence | grep -q rewrite_in_progress:1; do sleep 0.1; done; "
      "redis-cli -s s SAVE >/dev/null; redis-cli -s s SHUTDOWN NOSAVE; ls dump.rdb appendonlydir/*.base.rdb");
  REQUIRE(files.find("base.rdb") != std::string::npos);
  check_finds(shell(folder, "cat dump.rdb"));
  check_finds(shell(folder, "cat appendonlydir/*.base.rdb; printf '*1\\r\\n$4\\r\\nPING\\r\\n'"));
}

TEST_CASE("A dump of Redis' that only seems to hold what is packed costs little, and is told where it would not") {
  const std::string head = "REDIS0011";
  std::string content = head;
  // Each of them as sound as it can be, and as long.
  for (int i = 0; i < 30'000; ++i)
    content += "\x1f" + std::string(21, 'x') + "\xc3\x80\x00\x07\x00\x00\x80\x00\x08\x00\x00"s;
  for (const std::size_t piece : {0u, 4096u}) {
    const Look look(content, piece > 0, piece);
    CHECK(look.gaps() == std::vector<std::string>{"srv/file: holds too much that only seems to be packed"});
  }
  CHECK(Look(head + std::string(100'000, '\xc3')).is_clean());
  CHECK(Look(head).is_clean());
}

TEST_CASE("Tables of LevelDB's and RocksDB's are read, however they are packed") {
  const TempDir folder;
  put(folder, "t", text());
  put(folder, "p.py",
      "import plyvel\n"
      "db = plyvel.DB('level', create_if_missing=True)\n"
      "for i in range(3000): db.put(b'k%05d' % i, b'# a value that packs well' * 3)\n"
      "db.put(b'settings', open('t', 'rb').read())\n"
      "db.compact_range()\n");
  shell(folder, "/usr/bin/python3 p.py");
  check_finds(shell(folder, "cat level/*.ldb"));
  // Its first block is not packed, and one is longer than what a file's kind is told by.
  put(folder, "p.py",
      "import plyvel, random\n"
      "db = plyvel.DB('plain', create_if_missing=True)\n"
      "for i in range(80): db.put(b'a%05d' % i, random.Random(i).randbytes(80))\n"
      "db.put(b'long', b'settings ' * 90000)\n"
      "db.put(b'settings', open('t', 'rb').read())\n"
      "db.compact_range()\n");
  shell(folder, "/usr/bin/python3 p.py");
  check_finds(shell(folder, "cat plain/*.ldb"));
  for (const std::string packing : {"snappy", "lz4", "lz4hc"}) {
    INFO(packing);
    shell(folder,
          "(seq -f 'k%05.0f ==> # a value that packs well, and another one' 1 3000; printf 'settings ==> '; tr '\\n' "
          "' ' <t; echo) | ldb --db=" +
              packing + " --create_if_missing --compression_type=" + packing + " --bulk_load --compact load");
    check_finds(shell(folder, "cat " + packing + "/*.sst"));
  }
}

TEST_CASE("The log of an SQLite database is read like the database, with all that is in its pages") {
  for (const std::string encoding : {"UTF-8", "UTF-16le", "UTF-16be"})
    for (const std::string before : {"", "pragma journal_mode=delete; create table t(a, b); "}) {
      INFO(encoding << " " << before);
      const TempDir folder;
      // A token behind another value, and one that lies in two pages. (The log is gone with the last one who reads it.)
      shell(folder, "sqlite3 a.db \"pragma page_size=512; pragma encoding='" + encoding + "'; " + before +
                        "pragma journal_mode=wal; create table if not exists t(a, b); insert into t values('x', '" +
                        token + "'); insert into t values('y', printf('%.*c', 440, 'y') || ' ' || '" + token +
                        "' || ' ' || printf('%.*c', 900, 'z'));\" '.shell cp a.db-wal log' >o");
      const std::string log = shell(folder, "cat log");
      REQUIRE(log.size() > 1000);
      for (const std::size_t piece : {0u, 1u, 4096u}) {
        const Look look(log, piece > 0, piece);
        if (encoding == "UTF-8" || before.empty()) CHECK(look.finds("github.token file values"));
        CHECK(look.gaps().empty());
      }
      CHECK(Look(log.substr(0, 500)).is_clean());
    }
}

TEST_CASE("Blocks of Avro's files are read, in every packing that has no mark of its own") {
  const auto avro = [](const std::string& codec, const std::string& block) {
    return python(
        "(lambda number, sync, block: b'Obj\\1' + number(2) + number(11) + b'avro.schema' + number(8) + "
        "b'\"string\"' + number(10) + b'avro.codec' + number(" +
        std::to_string(codec.size()) + ") + b'" + codec +
        "' + b'\\0' + sync + b''.join(number(1) + number(len(b)) + b + sync for b in (block, block)))"
        "(lambda n: bytes([n * 2]) if n < 64 else bytes([n * 2 & 127 | 128]) + (bytes([n >> 6]) if n < 8192 "
        "else bytes([n >> 6 & 127 | 128, n >> 13])), bytes(range(16)), " +
        block + ")");
  };
  check_finds(avro("deflate", "raw(text)"));
  check_finds(avro("deflate", "raw(filler(9000) + text)"));
  check_finds(avro("snappy", "snappy.compress(text) + b'crcs'"));
  check_finds(avro("lz4", "lz4.block.compress(text)"));
  // A header may say anything.
  for (const std::string& head :
       {"Obj\1"s, "Obj\1\xff\xff\xff\xff\xff\xff\xff\xff\x7f"s, "Obj\1\2\x14" + std::string(40, 'x')})
    CHECK(Look(head + std::string(100, '\1')).is_clean());
}

TEST_CASE("Chunks of ORC's files are read, where a value lies in two of them, too") {
  const std::string head = "b'ORC' + b''.join((len(c) * 2 | o).to_bytes(3, 'little') + c for c, o in ";
  for (const std::string packed : {"snappy.compress", "raw", "lz"}) {
    INFO(packed);
    check_finds(python(head + "((" + packed + "(filler(3000)), 0), (" + packed + "(text), 0), (b'rest', 1)))"));
    check_finds(python("(lambda at: " + head + "((" + packed + "(text[:at]), 0), (text[at:at + 9], 1), (" + packed +
                       "(text[at + 9:] * 9), 0))))(text.rindex(b'TOKEN=') + 15)"));
  }
}

TEST_CASE("A journal's entries that are packed with lz4 are read") {
  const auto journal = [](int flags, int payload) {
    return python(
        "b'LPKSHHRH' + struct.pack('<II', 0, " + std::to_string(flags) +
        ") + bytes(72) + struct.pack('<Q', 272) + bytes(176) + b''.join(o + bytes(-len(o) % 8) for o in "
        "(struct.pack('<BB6xQ', t, f, len(b) + " +
        std::to_string(payload) + ") + bytes(" + std::to_string(payload - 16) +
        ") + b for t, f, b in ((4, 0, bytes(2048)), (1, 0, b'PRIORITY=6'), (1, 2, struct.pack('<Q', len(text)) "
        "+ lz(text)), (3, 0, bytes(20)))))");
  };
  check_finds(journal(2, 64));
  check_finds(journal(2 | 16, 72));
}

TEST_CASE("Logs of what came last are read: Prometheus', InfluxDB's, Kafka's") {
  // Records in parts, in pages.
  check_finds(python("(lambda c: b'\\x09' + struct.pack('>HI', len(c), 0) + c)(snappy.compress(text))"));
  check_finds(
      python("(lambda c: b'\\x0a' + struct.pack('>HI', 32761, 0) + c[:32761] + b'\\x0c' + struct.pack('>HI', "
             "len(c) - 32761, 0) + c[32761:] + bytes(80000))(snappy.compress(filler(40000) + bytes(25536) + text))"));
  check_finds(
      python("b''.join((lambda c: b'\\1' + struct.pack('>I', len(c)) + c)(snappy.compress(p)) for p in "
             "(filler(300), text, filler(300)))"));
  const auto batch = [](const std::string& packed) {
    return python(
        "b''.join(struct.pack('>QIIBIHIQQQHII', o, len(c) + 49, 0, 2, 0, a, 4, 0, 0, 0, 0, 0, 5) + c for o, a, "
        "c in ((0, 0, filler(200)), (5, 2, " +
        packed + "), (10, 0, filler(200))))");
  };
  check_finds(batch("snappy.compress(text)"));
  const std::string xerial =
      "b'\\x82SNAPPY\\0' + struct.pack('>II', 1, 1) + b''.join(struct.pack('>I', len(c)) + c for c in "
      "map(snappy.compress, "
      "(filler(99), text)))";
  check_finds(batch(xerial));
  check_finds(python(xerial));
  check_finds(python("filler(90000) + " + xerial + " + filler(500)"));
  check_finds(python("filler(65530) + " + xerial + " + " + xerial));
}

TEST_CASE("Blocks that have nothing but their lengths before them are read where a file begins with one") {
  // ClickHouse, Cassandra, Hadoop.
  const std::string three = " for p in (text, filler(20000), text)";
  check_finds(python("b''.join((lambda c: bytes(16) + b'\\x82' + struct.pack('<II', len(c) + 9, len(p)) + c)(lz(p))" +
                     three + ")"));
  check_finds(python("b''.join(struct.pack('<I', len(p)) + lz(p) + b'crcs'" + three + ")"));
  check_finds(python(
      "struct.pack('<I', 60000) + lz(filler(60000)) + b'crcs' + struct.pack('<I', len(text)) + lz(text) + b'crcs'"));
  check_finds(python("b''.join((lambda c: struct.pack('>II', len(p), len(c)) + c)(snappy.compress(p))" + three + ")"));
}

TEST_CASE("A repository of Borg's that is not encrypted is read") {
  check_finds(
      python("b'BORG_SEG' + b''.join(bytes(4) + struct.pack('<IB', len(b) + 9, t) + b for t, b in ((0, bytes(32) + "
             "b'\\2\\1\\0' + lz(filler(100))), (1, bytes(32)), (3, bytes(40) + b'\\2\\1\\0' + lz(text)), (2, b'')))"));
}

TEST_CASE("What PostgreSQL packed is read, in its row or in parts that are rows") {
  const auto page = [](const std::string& rows) {
    // Of rows at the end, their places at the beginning.
    return "(lambda rows: (lambda ends: bytes(12) + struct.pack('<HHHHI', 24 + 4 * len(rows), ends[-1], 8192, 8196, 0) "
           "+ "
           "b''.join(struct.pack('<I', e | 1 << 15 | len(r) << 17) for r, e in zip(rows, ends)) + bytes(ends[-1] - 24 "
           "- 4 * "
           "len(rows)) + b''.join(r + bytes(-len(r) % 8) for r in reversed(rows)))([8192 - sum(len(r) + -len(r) % 8 "
           "for r "
           "in rows[:i + 1]) for i in range(len(rows))]))([struct.pack('<18sHHB', b'', n, 0, 24) + b'\\0' + r for n, r "
           "in " +
           rows + "])";
  };
  const auto with = [&](const std::string& rows) {
    return python("(lambda value, token: " + page(rows) + ")(pglz(text), text.split(b'TOKEN=')[-1][:40])");
  };
  check_finds(with("((2, struct.pack('<II', 7, len(value) + 4 << 2 | 2) + value), (1, b'other'))"));
  const auto part = [](const std::string& number, const std::string& bytes) {
    return "(3, struct.pack('<III', 4711, " + number + ", len(" + bytes + ") + 4 << 2) + " + bytes + ")";
  };
  check_finds(with("(" + part("0", "value[:300]") + ", " + part("1", "value[300:]") + ")"));
  // Cut, and not packed.
  check_finds(
      with("(lambda at: (" + part("0", "text[:at]") + ", " + part("1", "text[at:]") + "))(text.rindex(token) + 20)"));
}

TEST_CASE("Pages of WiredTiger's that are packed with snappy are read") {
  check_finds(python(
      "(lambda page: struct.pack('<IHH', 120897, 1, 0) + bytes(4088) + bytes(4096) + page + bytes(-len(page) % 4096))("
      "(lambda c: bytes(24) + b'\\7\\1\\0\\1' + struct.pack('<III', (len(c) + 72 + 4095) // 4096 * 4096, 0, 1) + "
      "bytes(24) + "
      "struct.pack('<Q', len(c)) + c)(snappy.compress(text)))"));
}

TEST_CASE("snappy in frames is read, at a file's beginning and in the midst of it") {
  const std::string frames =
      "b'\\xff\\6\\0\\0sNaPpY' + b''.join(bytes([0]) + (len(c) + 4).to_bytes(3, 'little') + b'crcs' + c for c in "
      "map(snappy.compress, (filler(99), text))) + b'\\xfe\\1\\0\\0 '";
  const std::string content = python(frames);
  for (const bool streamed : {false, true}) {
    CHECK(Look(content, streamed, 7).finds("github.token file "));
    CHECK(Look(content, streamed, 7).gaps().empty());
    CHECK(Look(content.substr(0, content.size() - 9), streamed, 7).gaps() ==
          std::vector<std::string>{"srv/file: truncated snappy stream"});
    CHECK(Look("some bytes" + content + "and more", streamed, 7).finds("github.token file "));
    CHECK(Look("some bytes" + content.substr(0, 40), streamed, 7).is_clean());
  }
  CHECK(Look(content.substr(0, 20) + std::string(600, 'x')).gaps() ==
        std::vector<std::string>{"srv/file: damaged snappy stream"});
}

TEST_CASE("A file in a repository of Subversion's is read as its first version was packed") {
  const auto window = [](const std::string& content, const std::string& packed) {
    return "b'DELTA\\nSVN\\2' + (lambda number, content, packed: b'\\0\\0' + number(len(content)) + b'\\3' + "
           "number(len(packed)) + b'\\2\\x80\\7' + packed)(lambda n: bytes([n >> 7 | 128, n & 127]), " +
           content + ", (lambda c: bytes([len(" + content + ") >> 7 | 128, len(" + content + ") & 127]) + c)(" +
           packed + ")) + b'ENDREP\\n'";
  };
  check_finds(python("filler(100) + " + window("text", "lz(text)") + " + filler(100)"));
  CHECK(Look("SVN\2").is_clean());
}

TEST_CASE("Pages of Parquet's are read, in every packing that has no mark of its own") {
  // Of either version: its header's fields in Thrift's compact protocol, its levels before what is packed.
  const auto pages = [](const std::string& packed, bool second) {
    const std::string levels = second ? "b'\\2\\2\\2'" : "b''";
    return python("b'PAR1' + (lambda number: b''.join((lambda c: b'\\x15' + number(" + std::string(second ? "3" : "0") +
                  ") + b'\\x15' + number(len(p + l)) + b'\\x15' + number(len(c + l)) + " +
                  (second ? "b'\\x5c\\x15\\2\\x15\\2\\x15\\2\\x15\\0\\x15\\4\\x15\\2\\x11\\0'"
                          : "b'\\x2c\\x15\\2\\x15\\0\\x15\\6\\x15\\6\\x1c\\x18\\4text\\0\\0'") +
                  " + b'\\0' + l + c)(" + packed + ") for p, l in ((filler(200), " + levels + "), (text, " + levels +
                  "))))(lambda n: bytes([n * 2 & 127 | 128, n * 2 >> 7 & 127 | 128, n >> 13]))");
  };
  for (const bool second : {false, true}) {
    INFO(second);
    check_finds(pages("snappy.compress(p)", second));
    check_finds(pages("lz(p)", second));
    check_finds(pages("struct.pack('>II', len(p), len(lz(p))) + lz(p)", second));
    check_finds(pages("__import__('subprocess').run(['brotli', '-c'], input=p, capture_output=True).stdout", second));
  }
  for (const std::string& rest :
       {""s, "\x15"s, std::string(500, '\xff'), std::string(500, '\x1c'), std::string(500, '\x19'),
        "\x19\xff\xff\xff\xff\xff\xff\xff\xff\x7f" + std::string(500, '\1')})
    CHECK(Look("PAR1" + rest).is_clean());
}

TEST_CASE("A PDF's streams are read through all their filters, and its texts letter by letter") {
  const auto pdf = [](const std::string& filters, const std::string& stream) {
    return python("b'%PDF-1.4\\n1 0 obj<</Length 9" + filters + ">>stream\\n' + " + stream +
                  " + b'\\nendstream endobj\\n2 0 obj<</Type/Catalog>>endobj\\ntrailer<<>>\\n%%EOF\\n'");
  };
  check_finds(
      pdf("/Filter [/ASCII85Decode /FlateDecode]", "__import__('base64').a85encode(zlib.compress(text)) + b'~>'"));
  check_finds(pdf("/Filter[/ASCIIHexDecode/FlateDecode]", "zlib.compress(text).hex().encode() + b'>'"));
  check_finds(pdf("/Filter/RunLengthDecode",
                  "b''.join(bytes([len(p) - 1]) + p for p in (text[i:i + 9] for i in range(0, "
                  "len(text), 9))) + b'\\x80'"));
  const std::string rows =
      "(lambda rows: zlib.compress(b''.join(b'\\2' + bytes(a - b & 255 for a, b in zip(r, rows[i - 1] if i else "
      "bytes(8))) "
      "for i, r in enumerate(rows))))([text.ljust(1600)[i:i + 8] for i in range(0, 1600, 8)])";
  check_finds(pdf("/Filter/FlateDecode/DecodeParms<</Predictor 12/Columns 8>>", rows));
  // By letters, in an array and each by itself.
  const std::string secret = "text.split(b'TOKEN=')[-1][:40].decode()";
  for (const std::string filter : {"", "/Filter/FlateDecode"}) {
    const std::string pack = filter.empty() ? "bytes" : "zlib.compress";
    check_finds(pdf(filter, pack + "(('BT /F1 12 Tf [' + ''.join('(%s)%d' % (" + secret +
                                "[i:i + 3], -20 - i) for i in range(0, 40, 3)) + '] TJ ET\\n').encode() * 2)"));
    check_finds(pdf(filter, pack + "('\\n'.join('1 0 0 1 %d 700 Tm (%c) Tj' % (50 + i * 6, c) for i, c in enumerate(" +
                                secret + ")).encode())"));
    check_finds(pdf(filter, pack + "(('BT 9 70 Td ' + ' 6 0 Td '.join('<%02x> Tj' % ord(c) for c in " + secret +
                                ") + ' 0 -12 Td (next) Tj ET').encode())"));
  }
  for (const std::string& content :
       {"stream\n"s, "stream"s + std::string(100'000, '('), "/Filter/LZWDecode>>stream\n\x80\x3f\xff\xff\xff"s,
        "/Filter[/ASCII85Decode/RunLengthDecode]>>stream\n~>"s})
    CHECK(Look("%PDF-1.4\n" + content).is_clean());
}

TEST_CASE("A PDF's streams that are packed with LZW are read, as long as its codes grow") {
  const TempDir folder;
  put(folder, "t", text());
  put(folder, "p.py",
      "import random, sys\n"
      "of = random.Random(1).randbytes(3000).hex().encode() + open('t', 'rb').read()\n"
      "table, bits, count, width = {bytes([i]): i for i in range(256)}, '', 258, 9\n"
      "def put(code):\n"
      "  global bits; bits += format(code, '0%db' % width)\n"
      "put(256); now = b''\n"
      "for i in range(len(of)):\n"
      "  if now + of[i:i + 1] in table: now += of[i:i + 1]; continue\n"
      "  put(table[now]); table[now + of[i:i + 1]] = count; count += 1; now = of[i:i + 1]\n"
      "  width = 12 if count >= 2048 else 11 if count >= 1024 else 10 if count >= 512 else 9\n"
      "  if count == 4094: put(256); table = {bytes([i]): i for i in range(256)}; count, width = 258, 9\n"
      "put(table[now]); put(257); bits += '0' * (-len(bits) % 8)\n"
      "sys.stdout.buffer.write(b'%PDF-1.4\\n1 0 obj<</Filter/LZWDecode>>stream\\r\\n' + int(bits, "
      "2).to_bytes(len(bits) // 8, "
      "'big') + b'\\nendstream')\n");
  check_finds(shell(folder, "/usr/bin/python3 p.py"));
}

TEST_CASE("The files in an installer of NSIS' are read") {
  for (const std::string packing : {"/SOLID lzma", "lzma", "/SOLID zlib", "zlib"}) {
    INFO(packing);
    const TempDir folder;
    put(folder, "t", text());
    shell(folder, "seq 30000 | gzip >other; printf 'OutFile a.exe\\nSetCompressor " + packing +
                      "\\nSection\\nSetOutPath $TEMP\\nFile other\\nFile t\\nFile other\\nSectionEnd\\n' >a.nsi; "
                      "makensis -V1 a.nsi");
    check_finds(shell(folder, "cat a.exe"));
  }
  CHECK(Look("MZ and more\0\0\0\0\xef\xbe\xad\xdeNullsoftInst"s).is_clean());
}
