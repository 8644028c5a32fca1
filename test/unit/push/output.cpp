// What --output takes, and what it says where it does not.
#include "push/output.hpp"

#include <catch2/catch.hpp>
#include <filesystem>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/temp_dir.hpp"

using namespace imgbuild;
using Catch::Contains;
using Kind = Output::Kind;

TEST_CASE("a folder, a tar on standard output, and types with their attributes") {
  CHECK(parse_output("out").kind == Kind::folder);
  CHECK(parse_output("out.tar").kind == Kind::folder);  // as docker takes it
  CHECK(parse_output("out").dest == "out");
  CHECK(parse_output("-").kind == Kind::tar);
  CHECK(parse_output("-").dest == "-");
  CHECK(parse_output("type=local,dest=a=b").dest == "a=b");
  CHECK(parse_output("type=tar").dest == "-");
  CHECK(parse_output("dest=x.tar,type=tar").kind == Kind::tar);
  CHECK(parse_output("type=oci,dest=x").kind == Kind::oci);
  CHECK(parse_output("type=oci,\"dest=a,b\"").dest == "a,b");
  CHECK(parse_output("type=oci,\"dest=a\"\"b\"").dest == "a\"b");
  CHECK(parse_output("type=oci,dest=x").packed);
  CHECK(parse_output("type=oci,dest=x").in_tar);
  CHECK_FALSE(parse_output("type=docker,dest=x,tar=false").in_tar);
  CHECK(parse_output("type=cacheonly").kind == Kind::nothing);
  CHECK_FALSE(parse_output("type=docker,dest=x,compression=uncompressed").packed);
  CHECK(parse_output("type=docker,dest=x").kind == Kind::docker);
  CHECK(parse_output("type=docker").kind == Kind::engine);
  CHECK(parse_output("type=image,\"name=a:1,b:2\"").names == std::vector<std::string>{"a:1", "b:2"});
  CHECK_FALSE(parse_output("type=image,name=a").push);
  CHECK(parse_output("type=image,name=a,push=true").push);
  CHECK(parse_output("type=registry").push);
}

TEST_CASE("what is not known is told with what is") {
  const auto refused = [](const std::string& said, const std::string& why, const std::string& hint = {}) {
    INFO(said);
    try {
      parse_output(said);
      FAIL("it was taken");
    } catch (const Error& error) {
      CHECK(error.status() == Status::usage);
      CHECK_THAT(error.what(), Contains(why));
      CHECK_THAT(error.hint(), Contains(hint));
    }
  };
  refused("", "says no place", "type=cacheonly, docker, image, local, oci, registry, tar");
  refused("type=zip,dest=x", "there is no type zip", "type=cacheonly, docker, image, local, oci, registry, tar");
  refused("dest=x", "says no type");
  refused("out,dest=x", "`out` is not KEY=VALUE");
  refused("type=tar,name=x", "type=tar knows no name", "it knows dest");
  refused("type=oci,dest=x,rewrite-timestamp=true", "type=oci knows no rewrite-timestamp",
          "it knows compression, dest, name");
  refused("type=local", "wants a folder");
  refused("type=local,dest=-", "wants a folder");
  refused("type=oci,tar=false", "tar=false wants a folder");
  refused("type=oci,tar=no,dest=x", "tar is true or false");
  refused("type=cacheonly,dest=x", "type=cacheonly knows no dest");
  refused("type=tar,dest=", "dest is empty");
  refused("type=tar,dest=a,dest=b", "dest is said twice");
  refused("type=tar,\"dest=a", "a quote has no end");
  refused("type=image,push=perhaps", "push is true or false");
  refused("type=oci,compression=zip", "compression is gzip or uncompressed");
}

TEST_CASE("a place that cannot be written to is told before there is anything to write") {
  const TempDir folder;
  const std::string path = folder.path();
  write_file(path + "/file", "x");
  const auto check = [](std::vector<std::string> said) {
    std::vector<Output> all;
    for (const auto& one : said) all.push_back(parse_output(one));
    check_outputs(all);
  };
  check({path + "/new/folder", "type=tar,dest=" + path + "/x.tar", "type=oci,dest=" + path + "/file",
         "type=tar,dest=/dev/null"});
  CHECK_THROWS_WITH(check({path + "/file"}), Contains("is no folder"));
  CHECK_THROWS_WITH(check({"type=tar,dest=" + path}), Contains("is a folder"));
  CHECK_THROWS_WITH(check({"type=tar,dest=" + path + "/no/x.tar"}), Contains("its folder is not there"));
  CHECK_THROWS_WITH(check({"type=tar,dest=" + path + "/x", "type=oci,dest=" + path + "/./x"}),
                    Contains("another --output goes there"));
  CHECK_THROWS_WITH(check({path + "/a", path + "/a/"}), Contains("another --output goes there"));
  CHECK_FALSE(std::filesystem::exists(path + "/new"));
}
