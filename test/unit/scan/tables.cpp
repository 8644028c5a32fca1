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

TEST_CASE("a table is read whatever parts its cells, and in whatever language its heads are") {
  for (const std::string table :
       {"ФИО;Логин;Пароль\nИванов И.И.;ivanov;@1\nПетрова А.С.;petrova;@2",
        "系统,账号,密码,备注\nOA,sa_import,@1,长期\nCRM,sa,@2,长期",
        "サーバー,ユーザー,パスワード\nweb1,root,@1\ndb1,root,@2",
        "서버,아이디,비밀번호\nweb1,root,@1\ndb1,root,@2",
        "الخادم,المستخدم,كلمة المرور\nweb1,root,@1\ndb1,root,@2",
        "Διακομιστής;Χρήστης;Κωδικός\nweb1;root;@1\ndb1;root;@2",
        "Máy chủ,Tài khoản,Mật khẩu\nweb1,root,@1\ndb1,root,@2",
        "Serveur;Utilisateur;Mot de passe\nweb1;root;@1\ndb1;root;@2",
        "Servidor;Usuario;Contraseña\nweb1;root;@1\ndb1;root;@2",
        "Serwer;Login;Hasło\nweb1;root;@1\ndb1;root;@2",
        "| Sunucu | Kullanıcı | Parola | Not |\n|---|---|---|---|\n| web1 | root | @1 | yedek |\n| db1 | root | @2 | - "
        "|",
        "host\tip\troot_pw\nweb1\t10.0.0.1\t@1\ndb1\t10.0.0.2\t@2",
        "host,user,pw\nweb1,root,@1\ndb1,root,@2",
        "Staff of 2020;;\nName;Login;Passwort\nBerg;berg;@1\nMaus;maus;@2",
        "| **Host** | **@w** |\n|---|---|\n| web1 | @1 |\n| db1 | **@2** |",
        "|_. Host |_. User |_. @w |\n| web1 | root | @1 |\n| db1 | root | @2 |",
        "||Host||User||@w||\n|web1|root|@1|\n|db1|root|@2|",
        "{| class=\"wikitable\"\n! Host !! User !! @w\n|-\n| web1 || root || @1\n|-\n| db1 || root || @2\n|}",
        "{|\n! Host\n! @w\n|-\n| web1\n| @1\n|-\n| db1\n| @2\n|}",
        "|===\n|Host |User |@w\n\n|web1 |root |@1\n|db1 |root |@2\n|===",
        "+------+----------+\n| Host | @w |\n+======+==========+\n| web1 | @1 |\n+------+----------+\n| db1 | @2 |",
        " id | login | @w \n----+-------+----------\n  1 | hans  | @1\n  2 | jan   | @2\n(2 rows)",
        "host      user      @w\nweb1      root      @1\ndb1       root      @2",
        "<table><tr><th>Host</th><th>@w</th></tr><tr><td>web1</td><td>@1</td></tr>"
        "<tr><td>db1</td><td><code>@2</code></td></tr></table>",
        "COPY public.accounts (id, login, plain_@w, created) FROM "
        "stdin;\n1\tada\t@1\t2021-03-04\n2\tbob\t@2\t2021-03-05"
        "\n\\.",
        "CREATE TABLE users (id int, login varchar(32), @w varchar(64));\nINSERT INTO users VALUES (1,'ada','@1');\n"
        "INSERT INTO users VALUES (2,'bob','@2');",
        "CREATE TABLE `users` (\n  `id` int(11) NOT NULL,\n  `@w` varchar(64) DEFAULT '',\n  `fee` decimal(10,2)\n) "
        "ENGINE=InnoDB;\n\nINSERT INTO `users` VALUES (1,'@1',1.5),(2,'@2',2.5);",
        "INSERT INTO users (id, pwd) VALUES (1,'@1'),(2,'@2');",
        "{\"columns\":[\"login\",\"@w\"],\"rows\":[[\"ada\",\"@1\"],[\"bob\",\"@2\"]]}"}) {
    INFO(table);
    CHECK(found(table) == Texts{first, second});
  }
}

TEST_CASE("what is found in a row hides nothing of the next") {
  const std::string table = "url,note,@w\nx,https://ci:@1@db.acme.io/,none\ny,,@2";
  CHECK(found(table) == Texts{first, second});
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
  for (const std::string text :
       {"base-passwd\t3.6.1\nbash\t5.2.15-2+b2",
        "Set user, password, and host.\nThen a1b2c3, d4e5f6g, and Krone77.",  // two rows
        "connect(user, password, host)\nconnect(a1b2c3d4, e5f6g7h8, i9j0k1l2)",
        "users = {'name': 'Ada1815x', 'email': 'W1K5Qq'}",
        "\"credentials\": {\"region\": \"eu1west9\", \"shape\": \"Shape12xY\"}",
        "users = [('ada', 'ada@mail.example'), ('bob', '0f1e2d3c4b5a69788796a5b4c3d2e1f0')]",
        "id,password_hint,email\n1,Blue42sky,a@b.example",
        "key;password;login\nde;Passwort;Anmelden\nfr;Mot de passe;Connexion",
        "CREATE TABLE users (id int, password varchar(64));\n"
        "CREATE TABLE items (id int, sku varchar(32));\nINSERT INTO items VALUES (1,'KX82-hT7mXq2L');",
        "COPY a (id, login, password) FROM stdin;\n1\tada\t\\N\n\\.\n2\tbob\tKX82-hT7mXq2L",
        "#define LN_password              \"password\"\n#define OBJ_password              OBJ_a9,7L",
        "Name      Type      Password\nlogin     string    required",
        "<tr><th>Field</th><th>Password</th></tr><tr><td>hash</td><td>SHA-256</td></tr>",
        "<tr><td>Password</td><td>{{ user.password }}</td></tr>"}) {
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
