// What a builder has around it, as text.
#include "build/surroundings.hpp"

#include <catch2/catch.hpp>

#include "base/text.hpp"

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

TEST_CASE("BuildKit's git gets the login of a host that a token is for, and of no other") {
  std::vector<HandedSecret> secrets(1);
  secrets[0].id = "tok";
  const std::string word = "a" + std::string("b c");
  secrets[0].value = Secret(word + "\n");
  const std::vector<GitToken> tokens = {{"git.example.org:8443", "me", "tok"}, {"gone.example.org", "me", "other"}};
  const auto login = [&](std::string_view id) {
    const auto got = git_login(tokens, secrets, id);
    return got ? std::string(got->reveal()) : "no such id";
  };
  CHECK(login("GIT_AUTH_HEADER.git.example.org:8443") == "basic " + base64(view_of("me:" + word)));
  CHECK(login("GIT_AUTH_TOKEN.Git.Example.org:8443") == word);
  for (const char* id : {"GIT_AUTH_HEADER", "GIT_AUTH_TOKEN", "GIT_AUTH_TOKEN.", "GIT_AUTH_TOKEN.git.example.org",
                         "GIT_AUTH_HEADER.x.git.example.org:8443", "GIT_AUTH_HEADER.gone.example.org",
                         "HTTP_AUTH_TOKEN_git.example.org:8443", "HTTP_AUTH_HEADER_build-context-x"})
    CHECK(login(id).empty());
  CHECK(login("GIT_AUTH") == "no such id");
  CHECK(login("tok") == "no such id");
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
