// Secrets that are named by the head of their column, by the list that they are in, or by the line that decodes them.
#include <catch2/catch.hpp>

#include "../whole.hpp"
#include "base/bytes.hpp"
#include "scan/scanner.hpp"

using namespace imgbuild;

namespace {

const std::string first = whole("B2iY{{}}wlmgUI"), second = whole("Carlos{{}}1972!");

std::string filled(std::string text) {
  for (const auto& [mark, value] : std::vector<std::pair<std::string, std::string>>{
           {"@1", first}, {"@2", second}, {"@w", whole("pass{{}}word")}, {"@W", whole("PASS{{}}WORD")}})
    for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size()))
      text.replace(at, mark.size(), value);
  return text;
}

// What is found, in its order; wherever it stands in the stream.
std::vector<std::string> found(const std::string& said) {
  const std::string text = filled(said) + "\n";
  std::vector<std::string> all;
  for (const std::size_t before : {std::size_t{0}, (std::size_t{4} << 10) - 40, (std::size_t{32} << 10) - 70}) {
    const std::string whole_text = std::string(before, '\n') + text;
    std::vector<std::string> here;
    for (const auto& hit : Scanner::builtin()->scan(view_of(whole_text), {})) {
      CHECK(hit.severity >= Severity::medium);
      here.push_back(whole_text.substr(hit.begin, hit.end - hit.begin));
    }
    if (before == 0) all = here;
    CHECK(here == all);
  }
  return all;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("the rows of a table are named by the head of their column") {
  for (const std::string table :
       {"id,login,password,email\n1,ada,@1,a@b.example\n2,bob,@2,c@d.example",
        "Host;Benutzer;Passwort\nx;ada;@1\ny;bob;@2", "user\tpassword\nada\t@1\nbob\t@2",
        "| host | user | password |\n|------|:----:|---|\n| a | ada | `@1` |\n| b | bob | @2 |",
        "INSERT INTO `users` (`id`, `login`, `password`) VALUES\n(1, 'ada', '@1'),\n(2, 'bob', '@2');",
        "@pytest.mark.parametrize('user,password', [\n  ('ada', '@1'),\n  ('bob', '@2'),\n])",
        "@pytest.mark.parametrize((\"user\", \"password\"), [\n  (\"ada\", \"@1\"),\n  (\"bob\", \"@2\"),\n])",
        "tests := []struct{ user, password string }{\n\t{\"ada\", \"@1\"},\n\t{\"bob\", \"@2\"},\n}",
        "tests := []struct {\n\tname string\n\tuser, password string\n}{\n\t{\"a\", \"ada\", \"@1\"},\n\t{\"b\", "
        "\"bob\", \"@2\"},\n}"}) {
    INFO(table);
    CHECK(found(table) == Texts{first, second});
  }
}

TEST_CASE("a list of users has their passwords") {
  for (const std::string list :
       {"USERS = [\n  ('ada', '@1'),\n  ('bob', '@2'),\n]",
        "struct account accounts[] = {\n  { \"ada\", \"@1\", ADMIN },\n  { \"bob\", \"@2\", USER },\n};",
        "std::map<std::string, std::string> passwords = {\n  {\"ada\", \"@1\"},\n  {\"bob\", \"@2\"}};",
        "val accounts = mapOf(\n  \"ada\" to \"@1\",\n  \"bob\" to \"@2\")", "users = {'ada': '@1', 'bob': '@2'}",
        "static final String[][] USERS = { { \"ada\", \"@1\" }, { \"bob\", \"@2\" } };"}) {
    INFO(list);
    CHECK(found(list) == Texts{first, second});
  }
}

TEST_CASE("what stands in a table and is no password stays unsaid") {
  for (const std::string text : {"base-passwd\t3.6.1\nbash\t5.2.15-2+b2",
                                 "Set user, password, and host.\nThen a1b2c3, d4e5f6g, and Krone77.",  // two rows
                                 "connect(user, password, host)\nconnect(a1b2c3d4, e5f6g7h8, i9j0k1l2)",
                                 "users = {'name': 'Ada1815x', 'email': 'W1K5Qq'}",
                                 "\"credentials\": {\"region\": \"eu1west9\", \"shape\": \"Shape12xY\"}",
                                 "users = [('ada', 'ada@mail.example'), ('bob', '0f1e2d3c4b5a69788796a5b4c3d2e1f0')]",
                                 "id,password_hint,email\n1,Blue42sky,a@b.example"}) {
    INFO(text);
    CHECK(found(text).empty());
  }
}

TEST_CASE("what a line decodes or joins is named by it") {
  for (const std::string line :
       {"SET @@w = CONCAT('B2i', 'Ywl', 'mgUI');",
        "String @w = new StringBuilder().append(\"B2iY\").append(\"wlmgUI\").toString();",
        "const DB_@W: &str = concat!(\"B2iYwl\", \"mgUI\");",
        "const DB_@W = decodeURIComponent('%42%32%69%59%77%6C%6D%67%55%49');",
        "static const char @w[] = { 0x42, 0x32, 0x69, 0x59, 0x77, 0x6c, 0x6d, 0x67, 0x55, 0x49, 0x42, 0x32, "
        "0x69, 0x59, 0x77, 0x00 };"}) {
    INFO(line);
    CHECK(found(line).size() == 1);
  }
  CHECK(found("String title = new StringBuilder().append(\"B2iY\").append(\"wlmgUI\").toString();").empty());
}
