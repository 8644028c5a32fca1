#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "image/image.hpp"

using namespace imgbuild;

namespace {
const std::string digest = "sha256:" + std::string(64, 'a');

std::string with(const std::string& more) {
  return R"({"os": "linux", "architecture": "arm64", "variant": "v8", "rootfs": {"type": "layers", "diff_ids": [")" +
         digest + R"("]})" + more + "}";
}
}  // namespace

TEST_CASE("A config keeps its bytes, and its id is their digest") {
  const std::string raw =
      with(R"(, "config": {"Env": ["A=b"], "Cmd": ["sh"], "Volumes": {"/data": {}}, "User": "app"})");
  const auto config = parse_config(raw);
  CHECK(config.raw == raw);
  CHECK(config.id.size() == 71);
  CHECK(config.platform() == "linux/arm64/v8");
  CHECK(config.diff_ids == std::vector<std::string>{digest});
  CHECK(config.env == std::vector<std::string>{"A=b"});
  CHECK(config.cmd == std::vector<std::string>{"sh"});
  CHECK(config.volumes == std::vector<std::string>{"/data"});
  CHECK(config.user == "app");
}

TEST_CASE("A layer's instruction is the history line that is no empty layer") {
  const auto config = parse_config(
      with(R"(, "history": [{"created_by": "ENV A=b", "empty_layer": true}, {"created_by": "COPY . /"}])"));
  CHECK(config.created_by() == std::vector<std::string>{"COPY . /"});
}

TEST_CASE("Where history and layers do not agree no layer is given an instruction that may be another's") {
  const auto config = parse_config(with(R"(, "history": [{"created_by": "one"}, {"created_by": "two"}])"));
  CHECK(config.created_by() == std::vector<std::string>{""});
}

TEST_CASE("null stands for absent, as Docker writes it") {
  const auto config = parse_config(with(R"(, "history": null, "config": {"Env": null, "Cmd": null, "Volumes": null})"));
  CHECK(config.env.empty());
  CHECK(config.history.empty());
}

TEST_CASE("What is no image config is refused") {
  for (const std::string& raw :
       {std::string(), std::string("[]"), std::string("{}"), std::string("{\"rootfs\": {\"diff_ids\": [\"md5:x\"]}}"),
        with(R"(, "config": {"Env": "A=b"})"), with(R"(, "config": {"Env": [1]})"), with(R"(, "config": [])"),
        with(R"(, "history": {})"), with(R"(, "history": [1])"), with(R"(, "os": 5)")}) {
    INFO(raw);
    CHECK_THROWS_WITH(parse_config(raw), Catch::StartsWith("image config: "));
  }
}
