// What the names of columns and settings say of a database's values.
#include "audit/sqlite_tables.hpp"

#include <catch2/catch.hpp>
#include <map>

#include "base/text.hpp"
#include "look.hpp"

using namespace imgbuild;
using namespace imgbuild::test;

namespace {

std::multimap<std::string, std::string> named(const std::string& database) {
  std::multimap<std::string, std::string> all;
  const ViewWhole whole(view_of(database));
  each_named_value(whole, [&](const std::string& name, View value) { all.emplace(name, std::string(text_of(value))); });
  return all;
}

}  // namespace

TEST_CASE("A database's values are named by their columns, and settings by what stands beside them") {
  const TempDir folder;
  for (const std::string mode : {"delete", "wal"}) {
    INFO(mode);
    put(folder, "make.sql",
        "pragma journal_mode=" + mode +
            ";\ncreate table people(id integer primary key, [user] text, `password` varchar(20) not null,"
            " \"api_key\" text default ('a,b'), mail text, check (id > 0), unique (mail));\n"
            "create table conf(setting_name text, value text);\n"
            "with recursive n(i) as (select 1 union all select i+1 from n where i < 500)"
            " insert into people select i, 'u' || i, 'words' || i, null, 'a@b.c' || i from n;\n"
            "insert into conf values('smtp_password', 'in-the-table'), ('a name of words', 'not-this-one');\n");
    shell(folder, "rm -f x.db && sqlite3 x.db <make.sql >o");
    const std::string database = shell(folder, "cat x.db");
    const auto all = named(database);
    CHECK(all.count("password") == 500);
    CHECK(all.count("api_key") == 0);
    CHECK(all.count("mail") == 0);
    CHECK(all.find("smtp_password")->second == "in-the-table");
    CHECK(all.size() == 501);
    // Whatever is wrong with it, it ends.
    for (std::size_t at = 0; at < database.size(); at += 97) {
      std::string broken = database;
      broken[at] = static_cast<char>(broken[at] ^ 0x5a);
      CHECK(named(broken).size() <= 2000);
      CHECK(named(database.substr(0, at)).size() <= 501);
    }
  }
  CHECK(columns_of_table("CREATE TABLE t (a, \"b c\" TEXT, [d] INT DEFAULT (1, 2), PRIMARY KEY (a))") ==
        std::vector<std::string>{"a", "b c", "d"});
  CHECK(columns_of_table("CREATE TABLE t").empty());
  CHECK(columns_of_table("CREATE TABLE t (\"a").empty());
}

TEST_CASE("A large database's values are named too, and one that claims a page twice is told") {
  const TempDir folder;
  put(folder, "make.sql",
      "create table big(content blob);\ninsert into big values (zeroblob(20000000));\n"
      "create table people(name text, password text);\ncreate table others(name text, password text);\n"
      "insert into people values ('a', '" +
          whole("xK9{{}}vQ2m{{}}T7wLp4") + "');\ninsert into others values ('b', '" + whole("Rz5{{}}hJ8c{{}}N3yWq6") +
          "');\n");
  shell(folder, "sqlite3 x.db <make.sql");
  const std::string database = read_file(folder.path() + "/x.db");
  REQUIRE(database.size() > 20'000'000);
  CHECK(named(database).count("password") == 2);
  const auto places = [](const Look& look) {
    return std::count_if(look.record.found.begin(), look.record.found.end(),
                         [](const auto& one) { return one.inside == std::vector<std::string>{"values"}; });
  };
  for (const bool streamed : {false, true}) {
    const Look look(database, streamed);
    CHECK(places(look) == 2);
    CHECK(look.gaps().empty());
  }
  shell(folder,
        "sqlite3 x.db \"pragma writable_schema=1; update sqlite_master set rootpage = (select rootpage from "
        "sqlite_master where name = 'people') where name = 'others'\"");
  CHECK(Look(read_file(folder.path() + "/x.db")).gaps() ==
        std::vector<std::string>{"srv/file: a database whose tables could not be read to their ends"});
}

TEST_CASE("A log of more pages than are read is told") {
  const TempDir folder;
  put(folder, "p.py",
      "import struct, sys\n"
      "sys.stdout.buffer.write(struct.pack('>IIIIIIII', 0x377f0682, 3007000, 512, 0, 0, 0, 0, 0))\n"
      "for i in range(100001): sys.stdout.buffer.write(struct.pack('>I', i + 1) + bytes(20 + 512))\n");
  shell(folder, "python3 p.py >log");
  CHECK(Look(read_file(folder.path() + "/log")).gaps() ==
        std::vector<std::string>{"srv/file: a database whose tables could not be read to their ends"});
}
