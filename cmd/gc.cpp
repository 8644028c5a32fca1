// imgbuild gc: what an interrupted build left behind.
#include "build/build.hpp"
#include "config/settings.hpp"
#include "session.hpp"

namespace imgbuild {

Work offer_gc(CLI::App& app, Session&) {
  struct Flags {
    std::string engine;
    bool all = false;
  };
  const auto flags = std::make_shared<Flags>();
  app.add_flag("--all", flags->all, "also images that `build --keep` kept");
  add_value(app, "--engine", flags->engine, "URL",
            "unix://PATH, tcp://HOST:PORT, ssh://HOST, podman (else DOCKER_HOST, the docker context...)");
  app.footer("\nLive builds are left alone. One line per thing removed.");
  return [flags] {
    const Settings settings = load_settings({});
    const auto engine = connect_engine(flags->engine.empty() ? settings.text("engine").value_or("") : flags->engine);
    const auto removed = collect_garbage(*engine, flags->all);
    for (const auto& line : removed) put_result(line + "\n");
    if (removed.empty()) say("nothing was left behind");
    return 0;
  };
}

}  // namespace imgbuild
