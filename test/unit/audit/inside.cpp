// What lies inside files: repositories, databases, keystores, archives of every kind, each known by its content. And
// what is made to harm whoever opens it: it ends, is told, and is never `clean`.
#include <catch2/catch.hpp>

#include "base/process.hpp"
#include "crypto/private_key.hpp"
#include "look.hpp"

using namespace imgbuild;
using namespace imgbuild::test;

TEST_CASE("A key in the history of a git repository is found in its pack and in its loose objects") {
  const TempDir folder;
  shell(folder, "git init -q r && mkdir r/src");
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "line " + std::to_string(i) + "\n";
  put(folder, "r/src/a", text);
  shell(folder, "cd r && git add -A && git commit -q -m one");
  put(folder, "r/src/a", text + key());
  shell(folder, "cd r && git add -A && git commit -q -m two");
  const std::string blob(trim(shell(folder, "cd r && git rev-parse HEAD:src/a")));
  const std::string loose = shell(folder, "cd r && cat .git/objects/" + blob.substr(0, 2) + "/" + blob.substr(2));
  put(folder, "r/src/a", text);
  shell(folder, "cd r && git commit -q -a -m 'three, with " + token + "' && git repack -q -a -d -f");
  const std::string commit(trim(shell(folder, "cd r && git rev-parse HEAD")));
  const std::string pack = shell(folder, "cd r && cat .git/objects/pack/*.pack");
  for (const bool streamed : {false, true}) {
    const Look look(pack, streamed);
    CHECK(look.finds("ssh.private-key git blob " + blob));
    CHECK(look.finds("github.token git commit " + commit));
    CHECK(look.gaps().empty());
    CHECK(look.record.git_objects() == 9);
    const Look one(loose, streamed);
    CHECK(one.hits() == std::vector<std::string>{"ssh.private-key git blob " + blob});
    CHECK(one.gaps().empty());
  }
  const std::string bundle = shell(folder, "cd r && git bundle create -q - --all");
  for (const bool streamed : {false, true}) CHECK(Look(bundle, streamed).finds("ssh.private-key git blob " + blob));
  put(folder, "p.pack", pack);
  const std::string zip = shell(folder, "zip -q z.zip p.pack && cat z.zip");
  CHECK(Look(zip).finds("ssh.private-key git p.pack!blob " + blob));
  for (std::size_t size = 40; size < pack.size(); size += 512) CHECK_FALSE(Look(pack.substr(0, size)).gaps().empty());
  CHECK_FALSE(Look(loose.substr(0, loose.size() - 20)).is_clean());
}

TEST_CASE("Archives of every kind are opened, whole and as they stream by") {
  const TempDir folder;
  put(folder, "k", key());
  // A qcow2 image of two clusters: a packed one, and one that lies in it as it is.
  put(folder, "qcow2.py",
      "import struct, sys, zlib\n"
      "c = 65536; d = open('k', 'rb').read().ljust(c, b'\\n'); o = zlib.compressobj(9, zlib.DEFLATED, -12)\n"
      "p = o.compress(d) + o.flush() if sys.argv[1] == '0' else open('z', 'rb').read()\n"
      "w = lambda b: sys.stdout.buffer.write(b.ljust(c, b'\\0'))\n"
      "w(struct.pack('>4sIQIIQIIQQIIQQQQIIB', b'QFI\\xfb', 3, 0, 0, 16, 2 * c, 0, 1, c, 0, 0, 0, 0,\n"
      "  8 * int(sys.argv[1]), 0, 0, 4, 104, int(sys.argv[1])))\n"
      "w(struct.pack('>Q', 2 * c | 1 << 63))\n"
      "w(struct.pack('>QQ', 1 << 62 | (len(p) - 1) // 512 << 54 | 3 * c, 4 * c | 1 << 63)); w(p); w(b'plain')\n");
  shell(folder, "python3 -c \"print(open('k').read().ljust(65536, '\\n'), end='')\" | zstd -qc >z");
  for (const auto& [name, command, inside] : {
           std::tuple("gzip, two members", "(echo one | gzip -c; gzip -c k)", ""),
           std::tuple("bzip2", "bzip2 -c k", ""),
           std::tuple("xz", "xz -c k", ""),
           std::tuple("xz, two streams", "(echo one | xz -c; head -c 8 /dev/zero; xz -c k)", ""),
           std::tuple("lzma", "xz --format=lzma -c k", ""),
           std::tuple("zstd", "zstd -qc k", ""),
           std::tuple("lz4", "lz4 -qc k", ""),
           std::tuple("lz4, as kernels have it", "lz4 -l -qc k", ""),
           std::tuple("qcow2", "python3 qcow2.py 0", ""),
           std::tuple("qcow2, zstd", "python3 qcow2.py 1", ""),
           std::tuple("zip", "zip -q x k && cat x.zip", "k"),
           std::tuple("zip without a size before", "cat k | zip -q - -", "-"),
           std::tuple("tar", "tar cf - k", "k"),
           std::tuple("tar of old", "tar --format=v7 -cf - k", "k"),
           std::tuple("ustar", "tar --format=ustar -cf - k", "k"),
           std::tuple("pax", "tar --format=pax -cf - k", "k"),
           std::tuple("7z", "7z a -bso0 -bsp0 x.7z k && cat x.7z", "k"),
           std::tuple("iso9660", "genisoimage -quiet -R -o x.iso k && cat x.iso", "k"),
           std::tuple("squashfs", "mksquashfs k x.sq -quiet -no-progress >/dev/null && cat x.sq", "k"),
           std::tuple("squashfs, xz", "mksquashfs k y.sq -quiet -no-progress -comp xz >/dev/null && cat y.sq", "k"),
           std::tuple("ar", "ar rc x.a k && cat x.a", "k"),
       }) {
    INFO(name);
    const std::string packed = shell(folder, command);
    for (const bool streamed : {false, true}) {
      const Look look(packed, streamed, streamed ? 1000 : 1 << 20);
      INFO(join(look.hits(), ", ") << " " << join(look.gaps(), ", "));
      CHECK(look.finds("ssh.private-key file " + std::string(inside)));
      CHECK(look.gaps().empty());
    }
  }
}

TEST_CASE("A package of rpm is a packed cpio behind its headers") {
  const TempDir folder;
  put(folder, "key", key());
  const std::string archive = shell(folder, "echo ./key | cpio -o -H newc --quiet");
  const std::string header = std::string("\x8e\xad\xe8\1\0\0\0\0\0\0\0\1\0\0\0\4", 16) + std::string(20, 'x');
  std::string lead = "\xed\xab\xee\xdb\3";
  lead.resize(96);
  for (const char* packer : {"gzip -c", "xz -c", "zstd -qc"}) {
    const std::string package = lead + header + std::string(4, '\0') + header + piped(packer, archive);
    for (const bool streamed : {false, true}) {
      const Look look(package, streamed);
      CHECK(look.finds("ssh.private-key file key"));
      CHECK(look.gaps().empty());
    }
    CHECK_FALSE(Look(package.substr(0, package.size() - 30)).is_clean());
  }
  CHECK(Look(lead + std::string(60, 'x')).gaps() == std::vector<std::string>{"srv/file: damaged rpm archive"});
}

TEST_CASE("A zip behind other bytes of any size is opened, also as it streams by") {
  const TempDir folder;
  put(folder, "k", key());
  const std::string zip = shell(folder, "zip -q x k && cat x.zip");
  for (const std::size_t before : {std::size_t{20}, std::size_t{3000}, std::size_t{11} << 20}) {
    std::string program =
        "#!/bin/sh\nexit 0\n" + std::string(before, 'x') + "PK\3\4 in a program" + std::string(before, 'y') + zip;
    for (const std::size_t piece : {std::size_t{1}, std::size_t{5000}, std::size_t{1} << 20}) {
      if (piece == 1 && before > 3000) continue;
      const Look look(program, true, piece);
      CHECK(look.finds("ssh.private-key file k"));
      CHECK(look.gaps().empty());
    }
    // with offsets that count from the program's beginning, as zip -A makes them
    put(folder, "p.exe", program);
    shell(folder, "zip -q -A p.exe");
    CHECK(Look(read_file(folder.path() + "/p.exe"), true, 70000).finds("ssh.private-key file k"));
  }
}

TEST_CASE("What a database holds is found where its pages cut it or its columns touch") {
  const TempDir folder;
  for (const char* encoding : {"UTF-8", "UTF-16le"}) {
    INFO(encoding);
    // A value of one page that is cut by it, one between two others, and a zip.
    put(folder, "k", key());
    shell(folder, "rm -f z.zip x.db && zip -q z.zip k");
    const std::string long_value(std::string(3900, '-') + "\n" + token + "\n" + std::string(3000, '-'));
    shell(folder, "sqlite3 x.db \"pragma page_size=4096; pragma encoding='" + std::string(encoding) +
                      "'; create table t(a,b,c); insert into t values('name', '" + token + "', 'name');\"");
    const Look touching(shell(folder, "cat x.db"));
    CHECK(touching.finds("github.token file values"));
    shell(folder,
          "sqlite3 x.db \"delete from t; insert into t values(1, '" + long_value + "', readfile('z.zip')); vacuum;\"");
    const std::string database = shell(folder, "cat x.db");
    for (const bool streamed : {false, true}) {
      const Look look(database, streamed, 4096);
      CHECK(look.finds("github.token file values"));
      CHECK(look.finds("ssh.private-key file page 2!k"));
      CHECK(look.gaps().empty());
    }
  }
}

TEST_CASE("A token among the constants of compiled code is found, whatever stands before and behind it") {
  const TempDir folder;
  for (std::size_t before = 0; before < 12; ++before) {
    const std::string value = std::string(before, ' ') + token;  // its length becomes a digit or a letter
    // marshal: a code object's beginning, an interned short string, another one
    std::string code("\xa7\x0d\r\n\0\0\0\0\0\0\0\0\0\0\0\0\xe3\0\0\0\0\0\0\0", 24);
    code += "z" + std::string(1, static_cast<char>(value.size())) + value + "z\x05other";
    code += "N" + std::string(40, '\0');
    CHECK_FALSE(Look(code).hits().empty());
    std::string java("\xca\xfe\xba\xbe\0\0\0\x34\0\3\1\0", 12);
    java += static_cast<char>(value.size());
    java += value + std::string("\1\0\1x\0\0\0\0\0\0\0\0", 12);
    CHECK_FALSE(Look(java).hits().empty());
  }
  // By the real compilers, where they are.
  const std::string longer = token + "\nand twelve.";  // '4' is its length
  put(folder, "m.py", "a = 'x'\nb = '''" + longer + "'''\nc = 'yy'\n");
  const Ran compiled =
      run({.argv = {
               "sh", "-c",
               "cd " + folder.path() + " && python3 -c 'import py_compile; py_compile.compile(\"m.py\", \"m.pyc\")'"}});
  REQUIRE(compiled.status == 0);
  CHECK(container_of(view_of(read_file(folder.path() + "/m.pyc"))) == Container::python_code);
  CHECK_FALSE(Look(read_file(folder.path() + "/m.pyc")).hits().empty());
}

TEST_CASE("A keystore and a raw key in DER are found wherever they lie") {
  const TempDir folder;
  shell(folder,
        "openssl req -x509 -newkey ed25519 -nodes -keyout k.pem -out c.pem -days 1 -subj /CN=x 2>/dev/null && "
        "openssl pkcs12 -export -inkey k.pem -in c.pem -out open.p12 -passout pass:changeit && "
        "openssl pkcs12 -export -inkey k.pem -in c.pem -out closed.p12 -passout pass:a-better-one && "
        "openssl pkey -in k.pem -outform DER -out k.der");
  const auto fingerprint = read_pem_key(read_file(folder.path() + "/k.pem"))->fingerprint;
  const Look open(read_file(folder.path() + "/open.p12")), closed(read_file(folder.path() + "/closed.p12"));
  REQUIRE(open.hits() == std::vector<std::string>{"pem.keystore file "});
  CHECK(open.record.found[0].hit.identity.text == fingerprint);
  CHECK(open.record.found[0].hit.severity == Severity::critical);
  REQUIRE(closed.hits() == std::vector<std::string>{"pem.keystore file "});
  CHECK(closed.record.found[0].hit.key->encrypted);
  CHECK(closed.record.found[0].hit.severity == Severity::high);
  const std::string der = read_file(folder.path() + "/k.der");
  for (const std::string& content : {der, "some bytes before" + der + "and behind", piped("base64 -w0", der),
                                     "x: " + piped("base64 -w0", der) + "\n"}) {
    const Look look(content);
    REQUIRE(look.hits() == std::vector<std::string>{"pem.der-key file "});
    CHECK(look.record.found[0].hit.identity.text == fingerprint);
  }
}

TEST_CASE("The frame of a key that a program keeps as a constant, with other constants behind it, is no key") {
  std::string frame("0.\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x6e\x04\x22\x04\x20", 16);
  std::string constants;  // as Python writes them into its code
  for (char i = 0; i < 6; ++i) constants += std::string("\xe9", 1) + i + std::string("\0\0\0r", 4);
  CHECK(Look("program" + frame + constants + "more").hits().empty());
  const std::string key = piped("openssl genpkey -algorithm X25519 -outform DER", "");
  REQUIRE(key.substr(0, 16) == frame);
  CHECK(Look("program" + key + "more").hits() == std::vector<std::string>{"pem.der-key file "});
}

TEST_CASE("What a reader shows of its own memory is looked at before that memory goes") {
  // Padding that is not zero is shown as what it is. Before it comes so much that the threads get to it when the
  // reader, of whose memory it is, has ended.
  const TempDir folder;
  const std::string tar =
      shell(folder, "yes a line of text | head -c 8000010 > a && tar -cf x.tar a && head -c 8000522 x.tar");
  const Look look(tar + std::string(1014, 'x'));
  CHECK(look.gaps().size() == 1);
}

TEST_CASE("What is made to harm whoever opens it ends, and is never clean") {
  const TempDir folder;
  const auto python = [&](const std::string& program) {
    put(folder, "p.py",
        "import sys, struct, zlib, io, gzip, lzma, zipfile, tarfile\nout = sys.stdout.buffer\n" + program);
    return shell(folder, "python3 p.py");
  };
  const std::string many = R"(
with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as z:
    for i in range(100): z.writestr('%d' % i, b'\0' * 1000000)
)";
  const std::string entries = R"(
with gzip.GzipFile(fileobj=out, mode='wb', compresslevel=1) as z:
    t = tarfile.TarInfo('a').tobuf(tarfile.USTAR_FORMAT)
    for i in range(1001): z.write(t * 1000)
)";
  const std::string nested = R"(
data = b'core' * 1000
for i in range(40):
    data = gzip.compress(data)
out.write(data)
)";
  const std::string nested_zip = R"(
data = b'\0' * 100000
for i in range(12):
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED) as z:
        for k in range(3): z.writestr('%d.zip' % k, data)
    data = file.getvalue()
out.write(data)
)";
  const std::string pax = R"(
def header(name, kind, size):
    h = bytearray(512)
    h[0:len(name)] = name; h[100:108] = b'0000644\0'; h[124:136] = size; h[136:148] = b'00000000000\0'
    h[156:157] = kind; h[257:265] = b'ustar\00000'; h[148:156] = b' ' * 8
    h[148:156] = b'%06o\0 ' % sum(h)
    return bytes(h)
)";
  const std::string sizes[] = {"out.write(header(b'a', b'0', b'77777777777\\0') + b'x' * 1000)",
                               "out.write(header(b'a', b'x', b'77777777777\\0') + b'x' * 1000)",
                               "r = b'30 size=99999999999999999999\\n'; out.write(header(b'a', b'x', b'%011o\\0' % "
                               "len(r)) + r.ljust(512, b'\\0') + header(b'b', b'0', b'00000000001\\0') + b'x' * 1024)",
                               "r = b'999999999 path=x\\n'; out.write(header(b'a', b'x', b'%011o\\0' % len(r)) + "
                               "r.ljust(512, b'\\0') + header(b'b', b'0', b'00000000001\\0') + b'x' * 1024)",
                               "r = b'5 a\\n'; out.write(header(b'a', b'x', b'%011o\\0' % len(r)) + r.ljust(512, "
                               "b'\\0') + header(b'b', b'0', b'00000000001\\0') + b'x' * 1024)"};
  std::vector<std::pair<std::string, std::string>> table = {
      {"a zip of a hundred megabytes of zeros", python(many)},
      {"gzip in gzip, forty deep", python(nested)},
      {"zip in zip, twelve deep and three wide", python(nested_zip)},
      {"gzip of zeros", shell(folder, "head -c 100000000 /dev/zero | gzip -1 -c")},
      {"zstd of zeros", shell(folder, "head -c 100000000 /dev/zero | zstd -qc")},
      {"zstd with a window of two gigabytes", shell(folder, "head -c 300000000 /dev/zero | zstd -qc --long=31")},
      {"xz with a dictionary of a gigabyte", shell(folder, "head -c 100000 /dev/urandom | xz -c --lzma2=dict=1GiB")},
      {"bzip2 of zeros", shell(folder, "head -c 50000000 /dev/zero | bzip2 -c > z; for i in 1 2 3; do cat z; done")},
      {"a tar of a million and one entries", python(entries)},
  };
  for (const auto& size : sizes) table.emplace_back(size, python(pax + size));
  for (const auto& [name, bomb] : table) {
    INFO(name);
    const std::uint64_t left = (name.starts_with("a tar of") ? std::uint64_t{600} : std::uint64_t{40}) << 20;
    const Look whole(bomb, false, 1 << 20, left), streamed(bomb, true, 1 << 20, left);
    CHECK_FALSE(whole.gaps().empty());
    CHECK_FALSE(streamed.gaps().empty());
    for (const auto& gap : whole.record.gaps) CHECK(gap.sha256.size() == 71);
  }
}

TEST_CASE("An archive that unpacks to itself ends") {
  // Russ Cox's r.gz in spirit: a gzip stream whose text is any gzip stream, and so on; here by way of deep nesting.
  std::string text = "x";
  for (int i = 0; i < 9; ++i) text = piped("gzip -c", text);
  CHECK(Look(text).gaps() == std::vector<std::string>{"srv/file: deeper than 8"});
}

TEST_CASE("An archive cut at every 512th byte, or with a bit turned, is never clean") {
  const TempDir folder;
  shell(folder, "head -c 6000 /dev/urandom | base64 > a && head -c 6000 /dev/urandom | base64 > b");
  for (const std::string command :
       {"zip -q x a b && cat x.zip", "tar cf - a b", "tar cf - a b | gzip -c", "tar cf - a b | zstd -qc --check",
        "tar cf - a b | xz -c", "tar cf - a b | bzip2 -c", "tar cf - a b | lz4 -qc",
        "7z a -bso0 -bsp0 x.7z a b && cat x.7z", "mksquashfs a b x.sq -quiet -no-progress >/dev/null && cat x.sq",
        "ar rc x.a a b && cat x.a"}) {
    INFO(command);
    const std::string whole = shell(folder, command);
    REQUIRE(Look(whole).is_clean());
    for (std::size_t size = 512; size < whole.size(); size += 512) {
      // What follows a tar's end mark, a squashfs' padding, may be missing.
      const std::string cut = whole.substr(0, size);
      if (std::all_of(whole.begin() + static_cast<std::ptrdiff_t>(size), whole.end(), [](char c) { return c == 0; }))
        continue;
      // One cut between two of its members is a shorter one.
      const std::string_view next(whole.data() + size, 2);
      if ((command.starts_with("tar cf - a b") && command.size() == 12 && next == std::string_view("b\0", 2)) ||
          (command.starts_with("ar ") && next == "b/"))
        continue;
      const Look look(cut);
      INFO(size);
      CHECK_FALSE(look.is_clean());
    }
    for (std::size_t at = 0; at < whole.size(); at += 211) {
      std::string turned = whole;
      turned[at] = static_cast<char>(turned[at] ^ 1 << at % 8);
      const Look look(turned, at % 2 == 0);  // ends, and says what it can
    }
  }
}
