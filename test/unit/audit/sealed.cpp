// What is encrypted as a whole, and says so.
#include <catch2/catch.hpp>

#include "look.hpp"

using namespace imgbuild;
using namespace imgbuild::test;
using namespace std::string_literals;

TEST_CASE("A file that is nothing but encrypted is told, as an encrypted archive is") {
  const TempDir folder;
  put(folder, "k", key());
  // By the programs that write them.
  const std::string programs[] = {
      "age-keygen -o id 2>/dev/null; age -r $(grep -o 'age1.*' id) k",
      "age-keygen -o id2 2>/dev/null; age -a -r $(grep -o 'age1.*' id2) k",
      "export GNUPGHOME=$PWD/g; mkdir -m 700 -p g; gpg -q --batch --passphrase '' --quick-gen-key a@b rsa2048 encrypt "
      "2>/dev/null; gpg -q --batch --trust-model always -r a@b -o - -e k",
      "GNUPGHOME=$PWD/g gpg -q --batch --trust-model always -r a@b -a -o - -e k",
      "GNUPGHOME=$PWD/g gpg -q --batch --passphrase words --pinentry-mode loopback -o - -c k; gpgconf --homedir $PWD/g "
      "--kill gpg-agent",
      "openssl enc -aes-256-cbc -pbkdf2 -pass pass:words -in k",
      "openssl enc -a -aes-256-cbc -pbkdf2 -pass pass:words -in k"};
  for (const std::string& program : programs)
    for (const bool streamed : {false, true}) {
      INFO(program);
      CHECK(Look(shell(folder, program), streamed, 7).gaps() == std::vector<std::string>{"srv/file: encrypted"});
    }
  const std::string rest = shell(folder, "head -c 900 /dev/urandom | base64 -w0");
  const std::string heads[] = {"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5"s,
                               "LUKS\xba\xbe\0\2"s,
                               "VimCrypt~03!"s,
                               "RCLONE\0\0"s,
                               "AES\2\0"s,
                               "\xeb\x58\x90-FVE-FS-"s,
                               "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"s + std::string(600, '\0') +
                                   "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0\0\0"s};
  for (const std::string& head : heads)
    CHECK(Look(head + rest).gaps() == std::vector<std::string>{"srv/file: encrypted"});
  // What a project keeps so, to be seen by all, is a value like another; a message that is only signed or packed is
  // read.
  CHECK(Look("\0GITCRYPT\0"s + rest).is_clean());
  CHECK(Look("$ANSIBLE_VAULT;1.1;AES256\n3463336330383262\n").is_clean());
  CHECK(Look("-----BEGIN PGP MESSAGE-----\n\nowEB...\n-----END PGP MESSAGE-----\n").is_clean());
  CHECK(Look("\x85\1\x0c\3 and no packet behind it, for a while").is_clean());
}

TEST_CASE("Pages of Parquet's that are encrypted are told, and a repository of Borg's") {
  const TempDir folder;
  const std::string rest = shell(folder, "head -c 3000 /dev/urandom | base64 -w0");
  CHECK(Look("PARE" + rest + "\x10\0\0\0PARE"s).gaps() == std::vector<std::string>{"srv/file: encrypted"});
  CHECK(Look("PARENT_DIRECTORY\n" + rest).is_clean());
  // FileMetaData: a version, a number of rows, and an algorithm or none.
  const auto file = [&](const std::string& more) {
    const std::string footer = "\x15\2\x26\x14"s + more + "\0"s;
    return "PAR1" + rest + footer + static_cast<char>(footer.size()) + "\0\0\0PAR1"s;
  };
  for (const bool streamed : {false, true}) {
    CHECK(Look(file("\x5c\x1c\0\0"s), streamed, 1000).gaps() ==
          std::vector<std::string>{"srv/file: has encrypted columns"});
    CHECK(Look(file(""), streamed, 1000).is_clean());
  }
  CHECK(Look("BORG_SEG\0\0\0\0\x50\0\0\0\0"s + std::string(32, 'i') + "\3" + std::string(38, 'e') +
             "\0\0\0\0\x29\0\0\0\1"s + std::string(32, 'i'))
            .gaps() == std::vector<std::string>{"srv/file: encrypted"});
}

TEST_CASE("Stored fields of Lucene's are told") {
  const std::string rest(300, 'x');
  CHECK(Look("\x3f\xd7\x6c\x17\x1cLucene90StoredFieldsFastData" + rest).gaps() ==
        std::vector<std::string>{"srv/file: no reader for stored fields of Lucene"});
  CHECK(Look("\x3f\xd7\x6c\x17\x13Lucene90FieldInfos1" + rest).is_clean());
}

TEST_CASE("A brotli stream that breaks off, or in its midst is none, is told") {
  const TempDir folder;
  std::string words;
  for (unsigned i = 0; i < 900; ++i)
    words += std::to_string(i * i * 7919) + " is a number of " + std::to_string(i) + "\n";
  put(folder, "w", words);
  const std::string packed = shell(folder, "brotli -c -w 12 w");  // what came is shown soon
  const auto in_tar = [&](const std::string& content) {
    put(folder, "app.js.br", content);
    return shell(folder, "tar cf - app.js.br");
  };
  CHECK(Look(in_tar(packed)).is_clean());
  for (const bool streamed : {false, true}) {
    CHECK(Look(in_tar(packed.substr(0, packed.size() - 100)), streamed).gaps() ==
          std::vector<std::string>{"srv/file!app.js.br: truncated brotli stream"});
    CHECK(Look(in_tar(packed.substr(0, packed.size() / 2) + std::string(900, '\xff')), streamed).gaps().size() == 1);
  }
}
