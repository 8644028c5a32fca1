// From a place in an image to the line of the Dockerfile that brought it in.
#include <catch2/catch.hpp>

#include "dockerfile/origin.hpp"

using namespace imgbuild;

namespace {

const char* const text =
    "ARG V=1\n"
    "FROM busybox AS base\n"
    "ARG W\n"
    "RUN make a\n"
    "FROM base\n"
    "ENV TOKEN=x OTHER=y\n"
    "COPY key /k\n"
    "CMD [\"sh\"]\n";

Location in_layer(int layer) {
  Location place;
  place.layer = layer;
  return place;
}
Location in_config(const std::string& path) {
  Location place;
  place.kind = Location::Kind::config;
  place.path = path;
  return place;
}
int line_of(const Origins& origins, const Location& place) {
  const auto* at = origins.of(place);
  return at == nullptr ? 0 : static_cast<int>(at->line);
}

}  // namespace

TEST_CASE("history lines of BuildKit are laid beside the instructions, from the end") {
  const auto file = parse_dockerfile(text);
  const Origins origins(file, "",
                        {{"/bin/sh -c #(nop) ADD file:abc in / ", false},
                         {"/bin/sh -c #(nop)  CMD [\"sh\"]", true},
                         {"ARG W", true},
                         {"RUN |1 W=2 /bin/sh -c make a # buildkit", false},
                         {"ENV TOKEN=x OTHER=y", true},
                         {"COPY key /k # buildkit", false},
                         {"CMD [\"sh\"]", true}});
  CHECK(line_of(origins, in_layer(0)) == 0);
  CHECK(line_of(origins, in_layer(1)) == 4);
  CHECK(line_of(origins, in_layer(2)) == 7);
  CHECK(line_of(origins, in_layer(3)) == 0);
  CHECK(line_of(origins, in_config("Env.TOKEN")) == 6);
  CHECK(line_of(origins, in_config("Env.PATH")) == 0);
  CHECK(line_of(origins, in_config("history[5].created_by")) == 7);
  CHECK(line_of(origins, in_config("history[0].created_by")) == 0);
  CHECK(line_of(origins, in_config("history[99].created_by")) == 0);
  CHECK(line_of(origins, in_config("Cmd")) == 8);
}

TEST_CASE("history lines of the classic builder are, too; an ARG may have none, a label on the command line has one") {
  const auto file = parse_dockerfile(text);
  const Origins origins(file, "",
                        {{"ADD base", false},
                         {"|1 W=2 /bin/sh -c make a", false},
                         {"/bin/sh -c #(nop)  ENV TOKEN=x OTHER=y", true},
                         {"/bin/sh -c #(nop) COPY file:12 in /k ", false},
                         {"/bin/sh -c #(nop)  CMD [\"sh\"]", true},
                         {"/bin/sh -c #(nop)  LABEL a=b", true}});
  CHECK(line_of(origins, in_layer(0)) == 0);
  CHECK(line_of(origins, in_layer(1)) == 4);
  CHECK(line_of(origins, in_layer(2)) == 7);
}

TEST_CASE("a history that is another's leads nowhere") {
  const auto file = parse_dockerfile(text);
  const Origins origins(file, "", {{"ADD base", false}, {"EXPOSE 80", true}});
  CHECK(line_of(origins, in_layer(0)) == 0);
  CHECK(line_of(Origins(file, "none", {{"CMD x", true}}), in_config("Cmd")) == 0);
}
