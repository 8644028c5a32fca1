// Against the engine that $DOCKER_HOST names. Hidden: test/e2e/engine_roundtrip.sh brings one up and runs them.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "engine/engine.hpp"
#include "tar/inflate.hpp"
#include "tar/reader.hpp"

using namespace imgbuild;
using Catch::Contains;
using OrderedJson = nlohmann::ordered_json;

namespace imgbuild {
// Stands in for the audit room, which this program does not link.
class AuditDesk {
 public:
  static Cleared clear(const std::string& id, const std::string& handle) {
    ImageRecord record;
    record.id = id;
    return *Audit(std::move(record)).clear(handle);
  }
};
}  // namespace imgbuild

namespace {

const std::string base_name = "imgbuild-test/busybox:1";
const std::map<std::string, std::string> label = {{"imgbuild.test", "a \"quoted\" $VALUE"}};

struct Output {
  std::string out, err;
  int code = -1;
};

Output talk(Exec& exec, std::string_view in) {
  Output output;
  std::uint8_t piece[32768];
  while (true) {
    if (!in.empty()) in.remove_prefix(exec.write(view_of(in)));
    const auto n = exec.read(piece);
    if (n && *n == 0) break;
    if (n) {
      output.out += text_of({piece, *n});
      continue;
    }
    pollfd waits = {exec.fd(), static_cast<short>(in.empty() ? POLLIN : POLLIN | POLLOUT), 0};
    REQUIRE(::poll(&waits, 1, 30'000) > 0);
  }
  output.code = exec.exit_code();
  output.err = exec.errors();
  return output;
}

struct Names : TarVisitor {
  std::map<std::string, std::uint64_t> files;
  void entry(const TarEntry& entry) override { files[entry.path] = entry.size; }
  void data(View) override {}
  void end_entry() override {}
  void stray(View, const char*) override {}
};

template <class Condition>
bool soon(Condition condition) {
  for (int i = 0; i < 100; ++i) {
    if (condition()) return true;
    ::usleep(50'000);
  }
  return false;
}

}  // namespace

TEST_CASE("a builder is made, runs commands, is committed, and its config replaced", "[.real]") {
  const auto engine = connect_engine("");
  const EngineImage base = engine->find_image(base_name, "", Pull::never);
  const ImageConfig base_config = engine->config_of(base.handle);
  CHECK(sha256_digest(view_of(base_config.raw)) == base_config.id);
  if (engine->facts().kind != EngineFacts::Kind::docker_containerd) CHECK(base_config.id == base.handle);

  const std::string container = engine->create({base.handle, "none", "", label});
  CHECK_FALSE(engine->running(container));
  auto life = engine->start(container);
  CHECK(engine->running(container));

  SECTION("standard output, standard error and the exit status of a command arrive, its input by length") {
    const auto exec =
        engine->exec(container, {{"sh", "-c", "head -c 5 | tr a-z A-Z; echo problem >&2; id -u; pwd; exit 7"}, "0"});
    const Output output = talk(*exec, "hello and more");
    CHECK(output.out == "HELLO0\n/\n");
    CHECK(output.err == "problem\n");
    CHECK(output.code == 7);
  }

  SECTION("megabytes go through a command in both directions at once") {
    std::string sent(std::size_t{9} << 20, 'x');
    for (std::size_t i = 0; i < sent.size(); i += 1021) sent[i] = static_cast<char>('a' + i % 26);
    const auto exec = engine->exec(container, {{"head", "-c", std::to_string(sent.size())}, "0"});
    const Output output = talk(*exec, sent);
    CHECK((output.out == sent));  // in brackets: nine megabytes are not for printing
    CHECK(output.code == 0);
  }

  SECTION("a command runs as the user that is asked for") {
    CHECK(talk(*engine->exec(container, {{"id", "-un"}, "dev"}), "").out == "dev\n");
  }

  SECTION("a command that does not exist has a status, and the engine's words are not lost") {
    const auto exec = engine->exec(container, {{"no-such-program"}, "0"});
    std::string words;
    int code = -1;
    try {
      const Output output = talk(*exec, "");
      words = output.out + output.err;
      code = output.code;
    } catch (const Error& error) {
      words = error.what();
      code = exec->exit_code();
    }
    CHECK_THAT(words, Contains("no-such-program"));
    CHECK((code == 126 || code == 127));
  }

  SECTION("what is ours lies under /dev: exec, not on the image, and gone with the container") {
    const char* script =
        "cp /bin/busybox /dev/imgbuild/true && /dev/imgbuild/true && stat -c %a /dev/imgbuild && "
        "ls /dev/imgbuild/context && grep ' /dev/imgbuild' /proc/mounts";
    const Output output = talk(*engine->exec(container, {{"sh", "-c", script}, "0"}), "");
    CHECK(output.code == 0);
    CHECK(output.err == "");
    CHECK_THAT(output.out, Catch::StartsWith("755\ntmpfs /dev/imgbuild tmpfs ") &&
                               Contains(" /dev/imgbuild/context ") && !Contains("noexec") &&
                               !Contains("tmpfs /dev/imgbuild/context"));
  }

  SECTION("the final image has the config that was given, the new layer and nothing of ours") {
    CHECK(talk(*engine->exec(container, {{"sh", "-c", "echo made >/srv-made; touch /dev/imgbuild/context/x"}, "0"}), "")
              .code == 0);
    const std::string committed = engine->commit(container, label);
    const auto listed = [&](const std::string& handle) {
      const auto images = engine->ours("imgbuild.test").images;
      return std::any_of(images.begin(), images.end(), [&](const auto& image) { return image.id == handle; });
    };
    CHECK(listed(committed));

    const ImageConfig between = engine->config_of(committed);
    REQUIRE(between.diff_ids.size() == base_config.diff_ids.size() + 1);
    OrderedJson config = OrderedJson::parse(base_config.raw);
    config["rootfs"]["diff_ids"] = between.diff_ids;
    config["created"] = "1980-01-02T00:00:00Z";
    config["x-unknown"] = {{"kept", true}};
    config["history"].push_back({{"created", "1980-01-02T00:00:00Z"}, {"created_by", "imgbuild"}});
    const std::string text = config.dump(1);
    const std::string handle = engine->load_config(committed, text);
    CHECK_FALSE(listed(handle));
    CHECK(connect_engine("")->config_of(handle).raw == text);
    const std::string id = sha256_digest(view_of(text));
    if (engine->facts().kind != EngineFacts::Kind::docker_containerd) CHECK(handle == id);

    Names names;
    const auto saved = engine->save(handle);
    read_tar(*saved, names);
    CHECK(names.files.count("manifest.json") == 1);
    CHECK(names.files.size() > 3);

    // Its layers' exact bytes are had from the engine's own files too.
    const bool packed = engine->facts().kind == EngineFacts::Kind::docker_containerd;
    CHECK((engine->stored_image(handle) != nullptr) == packed);
    for (std::size_t i = 0; i < between.diff_ids.size(); ++i) {
      const auto layer = engine->stored_layer(handle, between.diff_ids, i);
      REQUIRE(layer);
      Bytes bytes;
      for (View piece = layer->next(); !piece.empty(); piece = layer->next())
        bytes.insert(bytes.end(), piece.begin(), piece.end());
      Sha256 sha;
      Bytes room(65536);
      Inflater inflater(
          Container::gzip, [&] { return std::span(room); }, [&](View plain) { sha.update(plain); });
      if (container_of(bytes) == Container::gzip) {
        inflater.feed(bytes);
        inflater.finish();
      } else {
        sha.update(bytes);
      }
      CHECK(sha.finish_digest() == between.diff_ids[i]);
    }

    // Removing the intermediate while the builder stands takes neither the base nor the final image along.
    CHECK(engine->remove_image(committed));
    CHECK_FALSE(engine->remove_image(committed));
    CHECK(engine->find_image(base_name, "", Pull::never).handle == base.handle);

    engine->tag(AuditDesk::clear(id, handle), "imgbuild-test/final:real");
    const EngineImage named = engine->find_image("imgbuild-test/final:real", "", Pull::never);
    CHECK(named.handle == handle);
    CHECK(named.names == std::vector<std::string>{"imgbuild-test/final:real"});
    CHECK(named.labels.empty());
    CHECK_FALSE(engine->remove_image(handle));  // it has a name

    // The same config again is the same image; a wrong count of history lines is refused, not half done
    // (containerd's store does not count).
    CHECK(engine->load_config(handle, text) == handle);
    config["history"].push_back({{"created_by", "one too many"}});
    if (!packed) CHECK_THROWS_WITH(engine->load_config(handle, config.dump()), Catch::StartsWith("engine: load: "));
  }

  engine->remove_container(container);
  CHECK_FALSE(engine->running(container));
  engine->remove_container(container);
}

TEST_CASE("a builder ends by itself when the driver lets go of it", "[.real]") {
  const auto engine = connect_engine("");
  const std::string container =
      engine->create({engine->find_image(base_name, "", Pull::never).handle, "none", "", label});
  const auto of_ours = [&]() -> std::optional<std::string> {
    for (const auto& one : engine->ours("imgbuild.test").containers)
      if (one.id == container) return one.state;
    return std::nullopt;
  };
  CHECK(of_ours() == "created");
  auto life = engine->start(container);
  CHECK(of_ours() == "running");
  for (const auto& one : engine->ours("imgbuild.test").containers)
    if (one.id == container) {
      CHECK(one.labels == label);
      CHECK(one.created > 1'000'000'000);
    }
  life.reset();
  CHECK(soon([&] { return !engine->running(container); }));
  CHECK(soon([&] { return !of_ours(); }));
}

TEST_CASE("a base without cat is told in one line, and leaves no container", "[.real]") {
  const auto engine = connect_engine("");
  const EngineImage empty = engine->find_image("imgbuild-test/empty:1", "", Pull::never);
  const std::string container = engine->create({empty.handle, "none", "", label});
  CHECK_THROWS_WITH(engine->start(container), Contains("the base image has no `cat`"));
  engine->remove_container(container);
  CHECK_FALSE(engine->running(container));
}

TEST_CASE("a base's ENTRYPOINT, HEALTHCHECK, USER, WORKDIR and VOLUME do not touch the builder", "[.real]") {
  const auto engine = connect_engine("");
  const EngineImage busy = engine->find_image("imgbuild-test/busy:1", "", Pull::never);
  const ImageConfig config = engine->config_of(busy.handle);
  const std::string container = engine->create({busy.handle, "none", "", label});
  const auto life = engine->start(container);
  ::usleep(1'500'000);  // its HEALTHCHECK would have run by now
  CHECK(talk(*engine->exec(container, {{"sh", "-c", "id -u; ls / | grep -c -e not-there -e health || true"}, "0"}), "")
            .out == "0\n0\n");
  const std::string committed = engine->commit(container, label);
  // Nothing was written: either no layer, or an empty one.
  const ImageConfig after = engine->config_of(committed);
  CHECK(after.diff_ids.size() <= config.diff_ids.size() + 1);
  engine->remove_container(container);
  CHECK(engine->remove_image(committed));
}

TEST_CASE("what an engine has not is said with a hint", "[.real]") {
  const auto engine = connect_engine("");
  try {
    engine->find_image("imgbuild-test/no-such:1", "", Pull::never);
    FAIL("found");
  } catch (const Error& error) {
    CHECK_THAT(error.what(), Contains("no image imgbuild-test/no-such:1"));
    CHECK_FALSE(error.hint().empty());
  }
  CHECK_THROWS_WITH(engine->find_image("127.0.0.1:9/no-such:1", "", Pull::missing),
                    Catch::StartsWith("engine: pull 127.0.0.1:9/no-such:1: "));
  CHECK_THROWS_WITH(engine->find_image(base_name, "linux/s390x", Pull::never), Contains("not for linux/s390x"));
  CHECK_THROWS_AS(engine->config_of("sha256:" + std::string(64, '0')), Error);
  CHECK_FALSE(engine->remove_image("sha256:" + std::string(64, '0')));
  engine->remove_container(std::string(64, '0'));
}

TEST_CASE("saving pulls at the engine's speed", "[.speed]") {
  const auto engine = connect_engine("");
  const auto source = engine->save(engine->find_image("imgbuild-test/debian:1", "", Pull::never).handle);
  const auto start = std::chrono::steady_clock::now();
  std::uint64_t bytes = 0;
  for (View piece = source->next(); !piece.empty(); piece = source->next()) bytes += piece.size();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  WARN(human_size(bytes) << " in " << seconds << " s");
  CHECK(bytes > 1'000'000);
}
