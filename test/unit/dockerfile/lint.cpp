// What is told of lines that leak, and what of lines that do not.
#include <catch2/catch.hpp>
#include <map>

#include "dockerfile/lint.hpp"

using namespace imgbuild;

namespace {

const Scanner& scanner() {
  static const auto rules = Scanner::builtin();
  return *rules;
}

// "4 copied-key" of each piece of advice.
std::vector<std::string> told(const std::string& text, bool has_ignore = true, bool lends = true) {
  std::vector<std::string> all;
  for (const auto& one : lint(parse_dockerfile("FROM a\n" + text), {&scanner(), has_ignore, lends, {"npm"}})) {
    CHECK_FALSE(one.says.empty());
    CHECK_FALSE(one.better.empty());
    all.push_back(std::to_string(one.line) + one.rule.substr(std::string("dockerfile").size()));
  }
  return all;
}
using Told = std::vector<std::string>;

}  // namespace

TEST_CASE("copying a file of credentials is told, whatever way it is copied") {
  CHECK(told("COPY id_ed25519 /root/.ssh/id_ed25519\n") == Told{"2.copied-key"});
  CHECK(told("ADD [\"keys/deploy.pem\", \"/k\"]\n") == Told{"2.copied-key"});
  CHECK(told("COPY src/ /src/\nCOPY x /root/.npmrc\n") == Told{"3.copied-key"});
  CHECK(told("COPY --from=build /root/.netrc /x\n") == Told{"2.copied-key"});
  CHECK(told("ONBUILD COPY .env /app/\n") == Told{"2.copied-key"});
}

TEST_CASE("what only resembles a key is not told") {
  CHECK(told("COPY id_rsa.pub authorized_keys known_hosts src /x/\nCOPY keyboard.c monkey.h /x/\n").empty());
  CHECK(told("ENV SSH_AUTH_SOCK=/x PUBLIC_KEY=abc TOKENIZERS=4 PASSWORD_FILE=/run/secrets/p\n").empty());
}

TEST_CASE("a key that a later line removes is told there too, with the line that it stays in") {
  const auto file =
      parse_dockerfile("FROM a\nCOPY id_rsa /root/.ssh/id_rsa\nRUN git clone x && rm -f /root/.ssh/id_rsa\n");
  const auto all = lint(file, {&scanner(), true, true, {}});
  REQUIRE(all.size() == 2);
  CHECK(all[1].rule == "dockerfile.removed-later");
  CHECK(all[1].line == 3);
  CHECK(all[1].says.find("line 2") != std::string::npos);
  CHECK(told("COPY id_rsa /k\nRUN rm -rf /root/.cache\n") == Told{"2.copied-key"});
  CHECK(told("RUN echo \"$K\" > ~/.ssh/id_rsa && make && rm ~/.ssh/id_rsa\n") == Told{"2.written-key"});
  // Another stage has another file system.
  CHECK(told("COPY id_rsa /k\nFROM b\nRUN rm id_rsa\n") == Told{"2.copied-key"});
}

TEST_CASE("names of credentials in ENV and ARG are told") {
  CHECK(told("ARG GITHUB_TOKEN\nENV DB_PASSWORD=$P API_KEY=x\nARG VERSION=1\n") ==
        Told{"2.named-credential", "3.named-credential", "3.named-credential"});
}

TEST_CASE("a login in a URL is told, also where it is a variable") {
  CHECK(told("ARG T\nRUN git clone https://$T@github.com/a/b\n") == Told{"3.url-credential"});
  CHECK(told("ADD https://user:${P}@example.com/x.tar /x\n") == Told{"2.url-credential"});
  CHECK(told("RUN git clone https://github.com/a/b && git clone ssh://git@github.com/a/b && curl http://x/?a=b@c\n")
            .empty());
}

TEST_CASE("COPY of everything is told where no .dockerignore says what that is") {
  CHECK(told("COPY . .\n", false) == Told{"2.copy-all"});
  CHECK(told("COPY . .\n", true).empty());
  CHECK(told("COPY --from=build . .\nCOPY src .\n", false).empty());
}

TEST_CASE("hosts that are believed at first sight are told") {
  CHECK(told("RUN ssh-keyscan github.com >> ~/.ssh/known_hosts\n") == Told{"2.host-unproved"});
  CHECK(told("RUN GIT_SSH_COMMAND='ssh -o StrictHostKeyChecking=no' git clone x\n") == Told{"2.host-unproved"});
  CHECK(told("RUN <<EOF\nssh -o StrictHostKeyChecking=accept-new h\nEOF\n") == Told{"2.host-unproved"});
}

TEST_CASE("a mount of what is not lent is told") {
  CHECK(told("RUN --mount=type=ssh make\n", true, false) == Told{"2.agent-not-lent"});
  CHECK(told("RUN --mount=type=ssh --mount=type=secret,id=npm make\n").empty());
  CHECK(told("RUN --mount=type=secret,target=/run/secrets/pip make\n") == Told{"2.secret-not-given"});
}
