// What package records say of a file.
#include "audit/packages.hpp"

#include <catch2/catch.hpp>

#include "image_text.hpp"

using namespace imgbuild;
using imgbuild::test::piped;

namespace {

std::string owner(const PackageRecords& records, const std::string& path) { return package_of({&records}, 0, path); }

}  // namespace

TEST_CASE("A file that dpkg's records name is told with its package and version") {
  PackageRecords records;
  records.add("var/lib/dpkg/status", view_of("Package: other\nVersion: 2\n\nPackage: acme\nStatus: install ok "
                                             "installed\nArchitecture: amd64\nVersion: 1:1.0-1\n"));
  records.add("var/lib/dpkg/info/acme:amd64.list", view_of("/.\n/opt\n/opt/acme/id_rsa\n/lib/acme/key.pem\n"));
  records.add("var/lib/dpkg/info/sums.md5sums", view_of("d41d8cd98f00b204e9800998ecf8427e  opt/a file\nshort\n"));
  CHECK(owner(records, "opt/acme/id_rsa") == "dpkg: acme 1:1.0-1");
  CHECK(owner(records, "usr/lib/acme/key.pem") == "dpkg: acme 1:1.0-1");  // /lib is usr/lib since
  CHECK(owner(records, "opt/a file") == "dpkg: sums");
  CHECK(owner(records, "opt/acme/id_dsa").empty());
}

TEST_CASE("A distroless image's dpkg records are read from status.d") {
  PackageRecords records;
  records.add("var/lib/dpkg/status.d/base-files", view_of("Package: base-files\nVersion: 12.4\n"));
  records.add("var/lib/dpkg/status.d/base-files.md5sums", view_of("d41d8cd98f00b204e9800998ecf8427e  etc/key\n"));
  CHECK(owner(records, "etc/key") == "dpkg: base-files 12.4");
}

TEST_CASE("A file that apk's database names is told with its package") {
  PackageRecords records;
  records.add("lib/apk/db/installed", view_of("C:Q1=\nP:acme\nV:1.0-r1\nA:x86_64\nF:etc/acme\nM:0:0:700\nR:key.pem\n"
                                              "a:0:0:600\nF:\nR:top\n\nP:other\nV:2\nR:bare\n"));
  CHECK(owner(records, "etc/acme/key.pem") == "apk: acme 1.0-r1");
  CHECK(owner(records, "top") == "apk: acme 1.0-r1");
  CHECK(owner(records, "bare") == "apk: other 2");
}

TEST_CASE("A file that a Python RECORD names is told with its distribution") {
  PackageRecords records;
  records.add("usr/lib/python3/site-packages/acme_tool-1.0.dist-info/RECORD",
              view_of("acme_tool/key.pem,sha256=x,12\r\n\"acme_tool/a,\"\"b\"\"\",,\n../../../bin/acme,,\n"
                      "../../../../../../../etc/passwd,,\n"));
  CHECK(owner(records, "usr/lib/python3/site-packages/acme_tool/key.pem") == "python: acme_tool 1.0");
  CHECK(owner(records, "usr/lib/python3/site-packages/acme_tool/a,\"b\"") == "python: acme_tool 1.0");
  CHECK(owner(records, "usr/bin/acme") == "python: acme_tool 1.0");
  CHECK(owner(records, "etc/passwd").empty());
}

TEST_CASE("The records of the file's own layer speak first, then later ones, then earlier ones") {
  PackageRecords first, second, third;
  first.add("var/lib/dpkg/status", view_of("Package: acme\nVersion: 1\n"));
  first.add("var/lib/dpkg/info/acme.list", view_of("/opt/key\n/opt/early\n"));
  third.add("var/lib/dpkg/status", view_of("Package: acme\nVersion: 3\n"));
  third.add("var/lib/dpkg/info/acme.list", view_of("/opt/key\n/opt/late\n"));
  const std::vector<const PackageRecords*> layers{&first, &second, &third};
  CHECK(package_of(layers, 0, "opt/key") == "dpkg: acme 1");
  CHECK(package_of(layers, 1, "opt/key") == "dpkg: acme 3");
  CHECK(package_of(layers, 2, "opt/key") == "dpkg: acme 3");
  CHECK(package_of(layers, 2, "opt/early") == "dpkg: acme 1");
  CHECK(package_of(layers, 0, "opt/late") == "dpkg: acme 3");
}

TEST_CASE("rpm's own database is read") {
  if (piped("command -v rpm && command -v rpmbuild", "").empty()) FAIL("rpm is not installed (test/packages)");
  // Three packages, one with so many files that its header spills over many pages.
  const std::string database = piped(R"(
    set -e; d=$(mktemp -d); trap 'rm -rf "$d"' EXIT; cd "$d"
    for p in acme other large; do
      n=1; if [ $p = large ]; then n=3000; fi
      printf 'Name: %s\nVersion: 1.0\nRelease: 1\nSummary: s\nLicense: x\nBuildArch: noarch\n%%description\nd\n' $p >$p.spec
      printf '%%install\nmkdir -p %%{buildroot}/opt/%s\nfor i in $(seq %s); do : >%%{buildroot}/opt/%s/key-$i; done\n' $p $n $p >>$p.spec
      printf '%%files\n/opt/%s\n' $p >>$p.spec
      rpmbuild --quiet --define "_topdir $d/top" --nodeps -bb $p.spec
    done >/dev/null 2>&1
    rpm --dbpath "$d/db" --define '_db_backend sqlite' --nodeps --justdb --noscripts -i $(find top -name '*.rpm') >/dev/null 2>&1
    cat db/rpmdb.sqlite)",
                                     "");
  REQUIRE(database.size() > 4096);
  const std::string path = "var/lib/rpm/rpmdb.sqlite";
  PackageRecords records;
  records.add(path, view_of(database));
  CHECK(owner(records, "opt/acme/key-1") == "rpm: acme 1.0-1");
  CHECK(owner(records, "opt/other/key-1") == "rpm: other 1.0-1");
  CHECK(owner(records, "opt/large/key-3000") == "rpm: large 1.0-1");
  CHECK(owner(records, "opt/large/key-3001").empty());
  // A damaged one is read as far as it goes, and nothing worse.
  for (std::size_t at = 0; at < database.size(); at += 9973) {
    std::string damaged = database;
    damaged[at] = static_cast<char>(damaged[at] ^ 0xff);
    PackageRecords some;
    CHECK_NOTHROW(some.add(path, view_of(damaged)));
    CHECK_NOTHROW(some.add(path, view_of(std::string_view(database).substr(0, at))));
  }
}

TEST_CASE("Records that make no sense name nothing") {
  PackageRecords records;
  // A long folder, and very many names in it: neither time nor memory for each of them.
  std::string apk = "P:acme\nF:" + std::string(2 << 20, 'f') + "\n";
  for (int i = 0; i < 500'000; ++i) apk += "R:x\n";
  records.add("lib/apk/db/installed", view_of(apk));
  for (const std::string path :
       {"var/lib/dpkg/status", "var/lib/dpkg/info/.list", "var/lib/dpkg/info/.md5sums", "var/lib/dpkg/status.d/x",
        "lib/apk/db/installed", "a/-.dist-info/RECORD", ".dist-info/RECORD", "var/lib/rpm/rpmdb.sqlite"})
    for (const std::string_view text :
         {std::string_view("\0\0\0\0", 4), std::string_view(""), std::string_view("Version: 1\n"),
          std::string_view("R:x\nF:y\nR:z\n"), std::string_view("/opt/key\n\"")}) {
      REQUIRE(is_package_record(path));
      CHECK_NOTHROW(records.add(path, view_of(text)));
    }
  CHECK(owner(records, "opt/key").empty());
}
