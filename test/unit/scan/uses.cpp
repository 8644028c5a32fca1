// Secrets in parts that have names, where the name that all of it is given says what it is.
#include <catch2/catch.hpp>

#include "../whole.hpp"
#include "base/bytes.hpp"
#include "scan/scanner.hpp"

using namespace imgbuild;

namespace {

const std::string secret = whole("B2iY{{}}w7lmgUI");

std::string filled(std::string text) {
  for (const auto& [mark, value] : std::vector<std::pair<std::string, std::string>>{{"@1", secret.substr(0, 5)},
                                                                                    {"@2", secret.substr(5)},
                                                                                    {"@w", whole("pass{{}}word")},
                                                                                    {"@W", whole("PASS{{}}WORD")}})
    for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size()))
      text.replace(at, mark.size(), value);
  return text;
}

std::vector<Hit> found(const std::string& text) { return Scanner::builtin()->scan(view_of(text), {}); }

}  // namespace

TEST_CASE("a secret in parts that have names is found where all of it has a name that says so") {
  for (const std::string said : {"A=@1\nB=@2\nexport DB_@W=\"$A$B\"",
                                 "A=@1\nB=@2\nDB_@W=${A}${B}",
                                 "a=@1\nb=@2\ndb.@w=${a}${b}",
                                 "A: @1\nB: @2\nDB_@W: $A$B",
                                 "x:\n  a: \"@1\"\n  b: \"@2\"\ndb_@w: \"{{ a }}{{ b }}\"",
                                 "set P1=@1\r\nset P2=@2\r\nset @W=%P1%%P2%",
                                 "set \"P1=@1\"\nset \"P2=@2\"\nset \"@W=%P1%%P2%\"",
                                 "p1 = \"@1\"\np2 = \"@2\"\n@w = p1 + p2",
                                 "p1 = '@1'\nself.@w = p1 + '@2'",
                                 "p1 = \"@1\"\np2 = \"@2\"\ndb = connect(user=\"ada\", @w=p1 + p2)",
                                 "p1 = \"@1\"\np2 = \"@2\"\ndb_@w = f\"{p1}{p2}\"",
                                 "p1 = \"@1\"\np2 = \"@2\"\n@w = ''.join([p1, p2])",
                                 "p1 = \"@1\"\np2 = \"@2\"\n@w = \"{}{}\".format(p1, p2)",
                                 "p1 = \"@1\"\np2 = \"@2\"\n@w = '%s%s' % (p1, p2)",
                                 "const a = '@1';\nconst b = '@2';\nconst config = {\n  user: 'ada',\n  @w: a + b,\n};",
                                 "const a = '@1', b = '@2';\nconst db@w = `${a}${b}`;",
                                 "let a = '@1', b = '@2';\nlet @w = [a, b].join('');",
                                 "String a = \"@1\";\nString b = \"@2\";\nString @w = a + b;",
                                 "String a = \"@1\", b = \"@2\";\nString @w = a.concat(b);",
                                 "String a = \"@1\", b = \"@2\";\nString @w = String.format(\"%s%s\", a, b);",
                                 "val a = \"@1\"\nval b = \"@2\"\nval @w = \"$a$b\"",
                                 "string a = \"@1\", b = \"@2\";\nvar @w = $\"{a}{b}\";",
                                 "a := \"@1\"\nb := \"@2\"\n@w := a + b",
                                 "$a = '@1';\n$b = '@2';\n$@w = $a . $b;",
                                 "String a = \"@1\", b = \"@2\";\nclient.setPassword(a + b);",
                                 "a = '@1'\nb = '@2'\n@w = \"#{a}#{b}\"",
                                 "local a = \"@1\"\nlocal b = \"@2\"\nlocal @w = a .. b",
                                 "Dim a As String = \"@1\"\nDim b As String = \"@2\"\n@w = a & b"}) {
    const std::string text = filled(said) + "\n";
    for (const std::size_t before : {std::size_t{0}, (std::size_t{4} << 10) - 20, (std::size_t{32} << 10) - 30}) {
      INFO(text << " behind " << before);
      const auto hits = found(std::string(before, '\n') + text);
      CHECK(hits.size() == 1);
      if (hits.empty()) break;
      CHECK(hits[0].severity >= Severity::medium);
      CHECK(hits[0].identity == Vault::identify(secret));
      const std::size_t at = text.find(secret.substr(0, 5));
      CHECK(hits[0].begin == before + at);
      CHECK(hits[0].end == before + at + 5);
    }
  }
}

TEST_CASE("a token whose beginning has a name is found in a template of JavaScript, and a path is none") {
  const std::string head = whole("xapp-1-A060NC{{}}WGYXD-4784693299912-c2c7b223761a205b"),
                    tail = "892cfb16171d99b88a114cf93d3751e12206d7f89d798b04";
  CHECK(found("const head = \"" + head + "\";\nexport const appToken = `${head}" + tail + "`;\n").size() == 1);
  CHECK(found("const base = \"" + head.substr(0, 12) + "\";\nconst url = `${base}/static/app1234.js`;\n").empty());
}

TEST_CASE("what a name has is what it was given last, not far before, and all of it") {
  const std::string more(5000, '\n');
  for (const std::string& said :
       {std::string("@w = a + b\na = '@1'\nb = '@2'\n"), "a = '@1'\nb = '@2'\n" + more + "@w = a + b\n",
        std::string("a = '@1'\nb = '@2'\nb = ask()\n@w = a + b\n"), std::string("a = '@1'\n@w = a + b\n"),
        std::string("a = '@1' + x\nb = '@2'\n@w = a + b\n"), std::string("a = '@1'\nb = '@2'\n@w = a + b + c\n"),
        std::string("a = '@1'\nb = '@2'\n@w = a + b()\n"), std::string("a = '@1'\nb = '@2'\n@w = c + a + b\n"),
        std::string("a = @1\nb = @2\n@w = a + b\n"), std::string("a = '@1'\nb = \"${c}@2\"\n@w = a + b\n"),
        std::string("a == '@1'\nb == '@2'\n@w = a + b\n"), std::string("a = '@1'\nb = '@2'\nname = a + b\n"),
        std::string("A=@1\nB=$(ask)\n@W=$A$B\n"), std::string("x ? a : '@1'\nb = '@2'\n@w = a + b\n")}) {
    INFO(said);
    CHECK(found(filled(said)).empty());
  }
}

TEST_CASE("words that names have are no secret where they are put together") {
  for (const std::string said :
       {"prefix = 'user'\nname = 'profile'\ncache_key = prefix + name\n", "A=build\nB=latest\nKEY=\"$A-$B\"\n",
        "p = 'db_'\ns = '@w'\nkey = p + s\n", "host = 'localhost'\nport = ':5432'\ntoken_url = host + port\n",
        "A='enter '\nB='@w'\n@W_PROMPT=\"$A$B\"\n",
        "const ns = 'app:';\nconst id = 'session';\nconst key = `${ns}${id}`;\n",
        "a = 'https://'\nb = 'example.com/token'\ntoken_endpoint = a + b\n"}) {
    INFO(said);
    CHECK(found(filled(said)).empty());
  }
}

TEST_CASE("uses and definitions without end are read in time that grows with the text") {
  for (const std::string piece : {"a=b", "a = \"b", "x + y ", "\"$a", "}${", "${a}", "a + b + ", ".append(a)",
                                  "a=['x',", "a[0]+a", "%a%%b%", "{{a}}", "a:\"x\",a+a", "join(a,", "%s%s\" % (a, "}) {
    std::string text;
    while (text.size() < 300000) text += piece;
    CHECK(found(text).empty());
    std::string lines;
    while (lines.size() < 300000) lines += piece + "\n";
    CHECK(found(lines).empty());
  }
}
