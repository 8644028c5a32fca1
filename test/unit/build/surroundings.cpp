// What a builder has around it, as text.
#include "build/surroundings.hpp"

#include <catch2/catch.hpp>

using namespace imgbuild;

TEST_CASE("the user that a forge wants beside a token") {
  CHECK(git_user("github.com", "GITHUB_TOKEN", "x") == "x-access-token");
  CHECK(git_user("gitlab.com", "", "x") == "oauth2");
  CHECK(git_user("gitlab.example.org:8443", "CI_JOB_TOKEN", "x") == "gitlab-ci-token");
  CHECK(git_user("git.example.org", "", "glcbt-64_x") == "gitlab-ci-token");
  CHECK(git_user("bitbucket.org", "", "x") == "x-token-auth");
  CHECK(git_user("codeberg.org", "", "x") == "x-access-token");
}

TEST_CASE("git's settings come behind those that the environment has, and hold no token") {
  Plan plan;
  plan.git_tokens = {{"git.example.org:8443", "me", "tok"}};
  const auto env = git_environment(plan, {"GIT_CONFIG_COUNT=2", "A=B"}, "/s");
  CHECK(env[0] == "GIT_CONFIG_KEY_2=credential.https://git.example.org:8443.helper");
  CHECK(env[1] == "GIT_CONFIG_VALUE_2=");
  CHECK(env[3].find("/s/tok") != std::string::npos);
  CHECK(env[4] == "GIT_CONFIG_COUNT=4");
  CHECK(git_environment({}, {"GIT_CONFIG_COUNT=2"}, "/s").empty());
  const std::string file = git_config_file(plan, "/run/secrets");
  CHECK(file.find("[credential \"https://git.example.org:8443\"]\n\thelper = \"\"\n") == 0);
  CHECK(file.find(R"(\"username=%s\\npassword=%s\\n\" me)") != std::string::npos);
}

TEST_CASE("what of a proxy's address is a secret") {
  CHECK(secrets_of_proxy("http://proxy.example:3128").empty());
  CHECK(secrets_of_proxy("http://me@proxy.example:3128").empty());
  CHECK(secrets_of_proxy("http://me:@proxy.example").empty());
  CHECK(secrets_of_proxy("localhost,10.0.0.0/8").empty());
  CHECK(secrets_of_proxy("http://me:pa%40ss@proxy.example:3128/") ==
        std::vector<std::string>{"http://me:pa%40ss@proxy.example:3128/", "pa%40ss", "pa@ss"});
  CHECK(secrets_of_proxy("me:pass%4@proxy.example") == std::vector<std::string>{"me:pass%4@proxy.example", "pass%4"});
}
