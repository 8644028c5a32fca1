// What happens to a credential in a context.
#include <catch2/catch.hpp>

#include "scan/allow.hpp"
#include "tree_here.hpp"

using namespace imgbuild;
using Names = std::vector<std::string>;
using Action = Withheld::Action;
using Catch::Contains;

namespace {

// Not one value of the vault may stand in the tar.
bool holds_none_of(const Staged& result, const std::string& secret) {
  return result.tar.find(secret) == std::string::npos;
}

std::string middle_of(const std::string& key) { return std::string(split(key, '\n').at(2)); }

}  // namespace

TEST_CASE("a key file is left out, and the rest is staged") {
  const TreeHere tree;
  const std::string key = fresh_key();
  tree.file("a");
  tree.file("deploy.pem", "\n" + key + "\n\n");
  const auto result = staged(tree.path());
  REQUIRE(result->context.withheld.size() == 1);
  const Withheld& withheld = result->context.withheld[0];
  CHECK(withheld.action == Action::file);
  CHECK(withheld.path == "deploy.pem");
  CHECK(withheld.rule == "ssh.private-key");
  CHECK_FALSE(result->context.refused());
  CHECK(result->names == Names{"a"});
  CHECK(holds_none_of(*result, middle_of(key)));
}

TEST_CASE("a key inside of source code is refused, not dropped") {
  const TreeHere tree;
  tree.file("login/x_test.go", "package login\n\nconst key = `" + fresh_key() + "`\n");
  const auto result = staged(tree.path());
  CHECK(result->context.refused());
  CHECK_FALSE(result->context.tar);
  CHECK(result->context.digest.empty());
  REQUIRE(result->context.withheld.size() == 1);
  const Withheld& withheld = result->context.withheld[0];
  CHECK(withheld.action == Action::refuse);
  CHECK(withheld.line == 3);
  CHECK_THAT(withheld.allow, Contains("at = \"*:login/x_test.go\"") && Contains("rule = \"ssh.private-key\"") &&
                                 Contains("identity = \"SHA256:"));
}

TEST_CASE("a line of a configuration is left out, and the file is staged without it") {
  const TreeHere tree;
  const std::string token = "npm_" + random_text(36);
  tree.file(".npmrc", "registry=https://registry.example.com/\n//registry.example.com/:_authToken=" + token +
                          "\nalways-auth=true\n");
  const auto result = staged(tree.path());
  REQUIRE(result->context.withheld.size() == 1);
  CHECK(result->context.withheld[0].action == Action::line);
  CHECK(result->context.withheld[0].line == 2);
  CHECK(result->context.withheld[0].rule == "npm.config-credential");
  CHECK(result->content(".npmrc") == "registry=https://registry.example.com/\nalways-auth=true\n");
  CHECK(holds_none_of(*result, token));
}

TEST_CASE("the strictest verdict wins") {
  const TreeHere tree;
  tree.file(".npmrc",
            "//registry.example.com/:_authToken=" + random_text(36) + "\n# old: npm_" + random_text(36) + "\n");
  const auto result = staged(tree.path());
  CHECK(result->context.refused());
  REQUIRE(result->context.withheld.size() == 1);
  CHECK(result->context.withheld[0].rule == "npm.access-token");
}

TEST_CASE("a file is left out by its name alone, and its content looked at all the same") {
  const TreeHere tree;
  tree.file(".ssh/id_ed25519", "not a key at all\n");
  const auto result = staged(tree.path());
  REQUIRE(result->context.withheld.size() == 1);
  CHECK(result->context.withheld[0].rule == "ssh.key-file");
  CHECK(result->context.withheld[0].action == Action::file);
  CHECK_FALSE(result->has(".ssh/id_ed25519"));
  CHECK(result->has(".ssh/"));
}

TEST_CASE("the flag --include is over ignore rules, never over a scrub") {
  const TreeHere tree;
  tree.file(".dockerignore", "keys\n");
  tree.file("keys/deploy.pem", fresh_key());
  const auto result = staged(tree.path(), [](StageOptions& options) { options.include = {"keys/deploy.pem"}; });
  CHECK(result->context.withheld.size() == 1);
  CHECK_FALSE(result->has("keys/deploy.pem"));
}

TEST_CASE("an allow-entry lets a file through, and is told") {
  const TreeHere tree;
  tree.file("test/login_test.py", "KEY = '''" + fresh_key() + "'''\n");
  const auto refused = staged(tree.path());
  REQUIRE(refused->context.withheld.size() == 1);
  AllowEntry entry;
  entry.rule = "ssh.private-key";
  entry.at = "*:test/login_test.py";
  entry.reason = "made for this test";
  const std::string& text = refused->context.withheld[0].allow;
  const std::size_t at = text.find("SHA256:");
  entry.identity = text.substr(at, text.find('"', at) - at);
  const auto with = [&](StageOptions& options) { options.policy.allow = {entry}; };
  const auto result = staged(tree.path(), with);
  CHECK(result->context.withheld.empty());
  CHECK(result->has("test/login_test.py"));
  REQUIRE(result->context.allowed.size() == 1);
  CHECK(result->context.allowed[0].why == "made for this test");
  CHECK(result->context.allowed[0].locations.at(0).path == "test/login_test.py");
  // It answers for that key only, and there only.
  tree.file("test/login_test.py", "KEY = '''" + fresh_key() + "'''\n");
  CHECK(staged(tree.path(), with)->context.refused());
}

TEST_CASE("what is below the limit is a note, and staged") {
  const TreeHere tree;
  tree.file("id_ed25519_sk", "handle\n");
  const auto result = staged(tree.path());
  CHECK(result->context.withheld.empty());
  CHECK(result->has("id_ed25519_sk"));
  REQUIRE(result->context.notes.size() == 1);
  CHECK(result->context.notes[0].rule == "ssh.security-key-file");
  const auto strict = staged(tree.path(), [](StageOptions& options) { options.policy.fail_on = Severity::low; });
  CHECK(strict->context.notes.empty());
  CHECK(strict->context.withheld.size() == 1);
}

TEST_CASE("a token in a file's name or a link's target is refused") {
  const std::string token = "npm_" + random_text(36);
  SECTION("name") {
    const TreeHere tree;
    tree.file("backup " + token);
    CHECK(staged(tree.path())->context.refused());
  }
  SECTION("target") {
    const TreeHere tree;
    std::filesystem::create_symlink("/srv/" + token, tree.path("link"));
    const auto result = staged(tree.path());
    CHECK(result->context.refused());
    CHECK(result->context.withheld.at(0).path == "link");
  }
}

TEST_CASE("a secret that is handed out is not staged as well") {
  const TreeHere tree;
  const std::string value = random_text(24);
  tree.file("token.txt", value + "\n");
  const auto with = [&](StageOptions& options) { options.vault->add(value, "secret t", Origin::handed_out); };
  const auto alone = staged(tree.path(), with);
  CHECK_FALSE(alone->context.refused());
  CHECK(alone->names.empty());
  tree.file("deploy.sh", "curl -H 'X-Auth: " + value + "'\n");
  const auto inside = staged(tree.path(), with);
  CHECK(inside->context.refused());
}

TEST_CASE("withheld values are known to the vault, so that the image is searched for them") {
  const TreeHere tree;
  const std::string token = random_text(36);
  tree.file(".npmrc", "//registry.example.com/:_authToken=" + token + "\n");
  const auto result = staged(tree.path());
  CHECK(ValueMatcher(result->vault, {Origin::withheld}).find(view_of("is " + token + " here")).size() == 1);
}

TEST_CASE("a large file is looked at whole, and cut out of the tar where it must not ship") {
  const TreeHere tree;
  const std::string filler(5 << 20, '.');
  const std::string token = "npm_" + random_text(36);
  tree.file("a", "before");
  tree.file("b.big", filler + filler);
  tree.file("z", "after");
  const auto clean = staged(tree.path());
  CHECK(clean->names == Names{"a", "b.big", "z"});
  CHECK(clean->context.digest == sha256_digest(view_of(clean->tar)));
  CHECK(clean->content("b.big").size() == 2 * filler.size());

  tree.file("id_rsa", filler);  // left out by its name, behind a file that fills no block
  tree.file("c", "between");
  tree.file("store/id_rsa", filler);
  const auto without = staged(tree.path());
  CHECK(without->names == Names{"a", "b.big", "c", "store/", "z"});
  CHECK(without->content("c") == "between");
  CHECK(without->tar.size() % 512 == 0);
  CHECK(without->content("z") == "after");
  CHECK(without->context.digest == sha256_digest(view_of(without->tar)));

  tree.file("b.big", filler + "\n" + token + "\n" + filler);
  const auto refused = staged(tree.path());
  REQUIRE(refused->context.refused());
  CHECK(refused->context.withheld.at(0).path == "b.big");
  CHECK(refused->context.withheld.at(0).line == 2);
}
