// What reads an engine's files for who cannot, where that does not work. (Where it does: test/e2e/engine_helper.sh.)
#include "build/engine_helper.hpp"

#include <catch2/catch.hpp>

#include "fake_engine.hpp"

using namespace imgbuild;
using Catch::Contains;

namespace {

struct Refusing : FakeEngine {
  std::function<std::unique_ptr<Fetch>()> open;
  int asked = 0;
  void read_files_by(std::function<std::unique_ptr<Fetch>()> by) override { open = std::move(by); }
  std::string load_layer(const std::string&, const NewLayer&, const std::string&) override {
    ++asked;
    throw Error("engine: load: no space left");
  }
};

}  // namespace

TEST_CASE("an engine that cannot have a helper is asked once, that is told once, and nothing is read by it") {
  Refusing engine;
  std::vector<std::string> told;
  {
    const EngineHelper helper(engine, [&](const std::string& line) { told.push_back(line); });
    REQUIRE(engine.open);
    CHECK(engine.asked == 0);  // nothing is made before something is to be read
    CHECK(engine.open() == nullptr);
    CHECK(engine.open() == nullptr);
  }
  CHECK(engine.asked == 1);
  REQUIRE(told.size() == 1);
  CHECK_THAT(told[0], Contains("no space left"));
  CHECK_FALSE(engine.open);  // an engine that outlives its helper does not ask it
}
