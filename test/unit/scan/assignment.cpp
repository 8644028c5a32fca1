// What a name is given, in whatever language it is written.
#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>

#include "../whole.hpp"
#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "scan/assignment.hpp"
#include "scan/scanner.hpp"
#include "scan/wordlike.hpp"

using namespace imgbuild;
using namespace std::string_literals;

namespace {

// The value that the first "password" of the text is given.
std::string given(const std::string& text) {
  const std::size_t at = lower(text).find("password");
  const auto assignment = read_assignment(text, at, at + 8);
  return assignment ? std::string(assignment->value) : "(none)";
}

// What the compiled-in rules find at `medium` and above, as "rule:secret".
std::vector<std::string> found(const std::string& text) {
  std::vector<std::string> out;
  for (const auto& hit : Scanner::builtin()->scan(view_of(text), {}))
    if (hit.severity >= Severity::medium)
      out.push_back(hit.rule->id + ":" + text.substr(hit.begin, hit.end - hit.begin));
  return out;
}

std::string unescaped(std::string line) {
  for (std::size_t at = line.find("\\n"); at != std::string::npos; at = line.find("\\n", at)) line.replace(at, 2, "\n");
  return line;
}

const std::string secret = std::string("Kq8v") + "Lm2!xZ";

}  // namespace

TEST_CASE("a name is given its value in every notation that people write") {
  for (const std::string shape : {"password = \"@@\"",
                                  "password='@@'",
                                  "PASSWORD=@@",
                                  "db.password: @@",
                                  "\"dbPassword\": \"@@\",",
                                  "{\\\"password\\\":\\\"@@\\\"}",
                                  "<password>@@</password>",
                                  "<app:password>@@</app:password>",
                                  "<password><![CDATA[@@]]></password>",
                                  "<key>password</key>\n  <string>@@</string>",
                                  "<add key=\"DbPassword\" value=\"@@\" />",
                                  "{\"name\": \"PASSWORD\", \"value\": \"@@\"}",
                                  "- name: PASSWORD\n  value: @@",
                                  "config['password'] = '@@';",
                                  ":password => '@@'",
                                  "setPassword(\"@@\");",
                                  "define('DB_PASSWORD', '@@');",
                                  "var password string = \"@@\"",
                                  "const PASSWORD: &str = \"@@\";",
                                  "char password[] = \"@@\";",
                                  "password := `@@`",
                                  "password <- \"@@\"",
                                  "if (password == \"@@\") {",
                                  "app --db-password @@ run",
                                  "app --password=@@ run",
                                  "ENV PASSWORD @@",
                                  "ALTER USER a PASSWORD '@@'",
                                  "os.environ.get('PASSWORD', '@@')",
                                  "password = process.env.X || '@@'",
                                  "password: ${PASSWORD:-@@}",
                                  "password = new String(\"@@\");",
                                  "password = b'@@'",
                                  "password: |\n  @@",
                                  "password=&quot;@@&quot;",
                                  "password =\n    \"@@\"",
                                  "Host=db;Password=@@;Database=x",
                                  "?password=@@&page=1"}) {
    std::string text = shape;
    text.replace(text.find("@@"), 2, secret);
    INFO(shape);
    CHECK(given(text) == secret);
  }
}

TEST_CASE("what is no assignment gives nothing") {
  for (const std::string text : {"password", "the password of the user", "password)", "password;", "passwords are kept",
                                 "password =", "password:\n", "password(", "<input type=\"password\">"})
    CHECK(given(text) == "(none)");
}

TEST_CASE("a line of nothing but names gives none of them a value") {
  for (const std::string name : {"password=", "password:", "password||", "password=passwd:pwd="}) {
    std::string text;
    for (int i = 0; i < 1000; ++i) text += name;
    CHECK(given(text) == "(none)");
  }
}

TEST_CASE("words are told from what a machine made") {
  for (const std::string text :
       {"userPassword", "database-host", "com.example.auth", "HTTPServerError", "sha256", "verify"})
    CHECK(name_likeness(text).words);
  for (const std::string text : {"kjhgfdsaq", "xkqzvbnmt", "aZ3kQ9xV7bN1mW5t", "Kd93jQslZ0qPxT"})
    CHECK_FALSE(name_likeness(text).words);
}

TEST_CASE("nothing is found in the texts that files and documentation are made of") {
  std::ifstream file(TESTDATA "/scan/nothing.txt");
  REQUIRE(file);
  std::size_t count = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.starts_with("# ")) continue;
    ++count;
    for (std::size_t at = line.find("{{}}"); at != std::string::npos; at = line.find("{{}}", at)) line.erase(at, 4);
    INFO(line);
    for (const auto& hit : found(unescaped(line) + "\n")) CHECK(hit.substr(0, hit.find(':')).empty());
  }
  CHECK(count > 600);
}

TEST_CASE("what people write a credential into is no hiding place for it") {
  std::ifstream file(TESTDATA "/scan/something.txt");
  REQUIRE(file);
  std::size_t count = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.starts_with("# ")) continue;
    ++count;
    for (std::size_t at = line.find("{{}}"); at != std::string::npos; at = line.find("{{}}", at)) line.erase(at, 4);
    INFO(line);
    CHECK_FALSE(found(unescaped(line) + "\n").empty());
  }
  CHECK(count > 500);
}

TEST_CASE("what stands in a file of settings is text without quotes") {
  const std::string password = std::string("FALcon") + "-novak83", born = std::string("1511") + "1989";
  const auto count = [](const std::string& text, const std::string& path) {
    Scanner::Subject subject;
    subject.path = path;
    return Scanner::builtin()->scan(view_of(text), subject).size();
  };
  for (const std::string path : {"a/config.yml", "a/app.properties", "a/my.ini"}) {
    INFO(path);
    CHECK(count("password: " + password + "\n", path) == 1);
    CHECK(count("password=" + born + "\n", path) == 1);
  }
  CHECK(count("password = " + password + "\n", "a/main.py") == 0);  // a difference of two names
  CHECK(count("password = " + born + "\n", "a/main.py") == 0);
  // Java's properties write : and # behind a backslash.
  CHECK(count(std::string("jdbc.password=wh7Jw7Z\\#") + "aT8\\:puui\n", "a/app.properties") == 1);
}

TEST_CASE("two slashes in a row are no comment where a machine made the value") {
  const std::string key = whole("kD83jslQ0z{{}}PxT//7mWq2+vB9{{}}rLsX4nYc8Ht1Gf==");
  CHECK(found("storage_key: " + key + "\n").size() == 1);
  CHECK(found("storage_key: see//the_documentation_of_keys\n").empty());
}

TEST_CASE("of a list of texts none is the name of the next; of two arguments the first may be") {
  const std::string password = std::string("kD83") + "jslQ0z";
  for (const std::string text : {"[\"password\", \"@\", \"letmein1\"]", "{\"a\", \"my_password\", \"@\"};",
                                 "(\"**/.cargo/credentials\", \"@\")", "--secret id=db,src=@", "--secret \"id=@\""}) {
    INFO(text);
    std::string with = text;
    with.replace(with.find('@'), 1, password);
    CHECK(found(with + "\n").empty());
  }
  for (const std::string text : {"define('DB_PASSWORD', '@');", "config.set(\"db\", \"password\", \"@\")",
                                 "[\"password\", \"@\"]", "put(\"password\", \"@\", 3)"}) {
    INFO(text);
    std::string with = text;
    with.replace(with.find('@'), 1, password);
    CHECK(found(with + "\n").size() == 1);
  }
}

TEST_CASE("one secret is found once, by the rule that knows it best") {
  const std::string token = whole("gh{{}}p_mOq0wqkuMwQWB7Dbq5{{}}GcZTMsG4V9DG0aHl5z");
  CHECK(found("GITHUB_TOKEN=\"" + token + "\"\n") == std::vector<std::string>{"github.token:" + token});
  CHECK(found("db_password = \"" + secret + "\"\n") == std::vector<std::string>{"generic.password:" + secret});
  CHECK(found("secret_token_password = \"" + secret + "\"\n").size() == 1);
}

TEST_CASE("an escaped token is found where it stands, with the escape's name") {
  const std::string token = whole("gh{{}}p_mOq0wqkuMwQWB7Dbq5{{}}GcZTMsG4V9DG0aHl5z");
  std::string percent, unicode, octal, html, wide, wider, array, array_of_hex;
  for (const char c : token) {
    array += (array.empty() ? "" : ",\n    ") + std::to_string(static_cast<int>(c));
    array_of_hex += (array_of_hex.empty() ? "0x" : ", 0x") + hex(view_of(std::string_view(&c, 1)));
    const std::string code = hex(view_of(std::string_view(&c, 1)));
    percent += "%" + code;
    unicode += "\\u00" + code;
    char digits[8];
    std::snprintf(digits, sizeof digits, "\\%03o", static_cast<unsigned>(c));
    octal += digits;
    html += "&#x" + code + ";";
    wide += std::string(1, c) + '\0';
    wider += std::string(1, c) + std::string(3, '\0');
  }
  struct Case {
    std::string text, encoding;
  };
  for (const auto& [text, encoding] :
       {Case{percent, "percent"},
        Case{unicode, "unicode"},
        Case{html, "html"},
        Case{wide, "utf-16"},
        Case{wider, "utf-32"},
        Case{octal, "octal"},
        Case{token.substr(0, 12) + "\" + \"" + token.substr(12), "concatenation"},
        Case{token.substr(0, 12) + "' .\n   '" + token.substr(12), "concatenation"},
        Case{token.substr(0, 12) + "\" .. \"" + token.substr(12), "concatenation"},
        Case{token.substr(0, 12) + "' || '" + token.substr(12), "concatenation"},
        Case{token.substr(0, 12) + "\"\t& \"" + token.substr(12), "concatenation"},
        Case{token.substr(0, 12) + "\" /* the rest */ + \"" + token.substr(12), "concatenation"},
        Case{token.substr(0, 12) + "\" + // the rest\n  \"" + token.substr(12), "concatenation"},
        Case{token.substr(0, 12) + "''" + token.substr(12), "concatenation"},
        Case{array, "array"},
        Case{array_of_hex, "array"},
        Case{token.substr(0, 12) + "=\n" + token.substr(12), "quoted-printable"},
        Case{token.substr(0, 12) + "=\r\n" + token.substr(12), "quoted-printable"},
        Case{token.substr(0, 12) + "\\\n" + token.substr(12), "continued"},
        Case{token.substr(0, 12) + "\xe2\x80\x8b" + token.substr(12), "zero-width"}}) {
    // At every place in a block, and around the border of one.
    for (const std::size_t before : {std::size_t{3}, std::size_t{100}, (std::size_t{32} << 10) - 20}) {
      const std::string quote = encoding == "concatenation" ? text.substr(12, 1) : "";
      const std::string file = std::string(before, '\n') + quote + text + quote + "\n";
      const auto hits = Scanner::builtin()->scan(view_of(file), {});
      INFO(encoding << " behind " << before);
      REQUIRE(hits.size() == 1);
      CHECK(hits[0].rule->id == "github.token");
      CHECK(hits[0].begin == before + quote.size());
      CHECK(hits[0].end == before + quote.size() + text.size());
      CHECK(hits[0].decoded == std::vector<std::string>{encoding});
    }
  }
  // As PowerShell's -EncodedCommand has it, in its three places.
  for (const std::size_t before : {0, 1, 2}) {
    std::string command;
    for (const char c : "$token"s.substr(0, before + 1) + "='") command += std::string(1, c) + '\0';
    command += wide + "'" + '\0';
    const std::string file = "powershell -EncodedCommand " + base64(view_of(command)) + "\n";
    const auto hits = Scanner::builtin()->scan(view_of(file), {});
    INFO("base64 behind " << before);
    REQUIRE(hits.size() == 1);
    CHECK(hits[0].decoded == std::vector<std::string>{"base64", "utf-16"});
  }
}

TEST_CASE("a token whose parts are joined with nothing between them is found") {
  const std::string a = std::string("gh") + "p_mOq0wqkuM", b = "wQWB7Dbq5GcZTMs", c = "G4V9DG0aHl5z";
  const auto list = [&](const std::string& quote, const std::string& gap) {
    return quote + a + quote + "," + gap + quote + b + quote + "," + gap + quote + c + quote;
  };
  for (const std::string& text : {
           "const t = [" + list("\"", " ") + "].join(\"\");",
           "const t = [\n  " + list("'", "\n  ") + "\n].join('');",
           "t = ''.join([" + list("'", " ") + "])",
           "t = \"\".join((" + list("\"", "") + ",))",
           "$t = implode('', array(" + list("'", " ") + "));",
           "my $t = join('', " + list("'", " ") + ");",
           "t := strings.Join([]string{" + list("\"", " ") + "}, \"\")",
           "String t = String.join(\"\", " + list("\"", " ") + ");",
           "var t = string.Join(\"\", new[] { " + list("\"", " ") + " });",
       })
    for (const std::size_t before : {std::size_t{3}, (std::size_t{32} << 10) - 60, (std::size_t{32} << 10) - 20}) {
      INFO(text << " behind " << before);
      const auto hits = Scanner::builtin()->scan(view_of(std::string(before, '\n') + text + "\n"), {});
      REQUIRE(hits.size() == 1);
      CHECK(hits[0].rule->id == "github.token");
      CHECK(hits[0].begin == before + text.find(a));
      CHECK(hits[0].decoded == std::vector<std::string>{"concatenation"});
    }
  // A list that is joined with something between its texts, or not at all, is none.
  CHECK(Scanner::builtin()->scan(view_of("t = [" + list("'", " ") + "].join('-')\n"), {}).empty());
  CHECK(Scanner::builtin()->scan(view_of("t = [" + list("'", " ") + ", '']\n"), {}).empty());
}

TEST_CASE("a service's key is told by the name that stands near it and a word that says so") {
  const std::string key = whole("4f7a1c9e0b3d{{}}8f62a5e7c1{{}}d90b2f4a68");
  CHECK(found("# mapquest api key\n" + key + "\n") == std::vector<std::string>{"mapquest.key:" + key});
  CHECK(found("mapquest checksum " + key + "\n").empty());
  CHECK(found("mapquest " + key + "\n").empty());
}
