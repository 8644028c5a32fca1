#include "crypto/key_text.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <ctime>

#include "base/text.hpp"
#include "crypto/other_keys.hpp"
#include "crypto/pgp_key.hpp"

using namespace imgbuild;

namespace {

const std::vector<std::string> body{"MC4CAQAwBQYD", "K2VwBCIEIOD0", "nkw5PKtXnBu7"};

// What is left of the lines between the first and the last, in words.
std::vector<std::string> read(const std::string& before, const std::string& text) {
  std::vector<std::string> words;
  for (const std::string& line : key_lines(before, text, "-----END"))
    for (const auto word : key_words(line))
      if (is_base64_text(word) && word.size() > 8) words.emplace_back(word);
  return words;
}

std::string written(const std::string& lead, const std::string& tail) {
  std::string text = "-----BEGIN X-----" + tail + "\n";
  for (const auto& line : body) text += lead + line + tail + "\n";
  return text + lead + "-----END X-----" + tail + "\n";
}

}  // namespace

TEST_CASE("what stands around each line of a key is undone, whatever the language") {
  struct Layout {
    std::string lead, tail;
  };
  const auto layout = GENERATE(values<Layout>({{"", ""},
                                               {"    ", ""},
                                               {"", "\r"},
                                               {"# ", ""},
                                               {" * ", ""},
                                               {"-- ", ""},
                                               {"+", ""},
                                               {"+    ", ""},
                                               {"\"", "\\n\" +"},
                                               {"b'", "\\n'"},
                                               {"key = key & \"", "\" & vbCrLf"},
                                               {"echo ", " >> /root/key"},
                                               {"echo '", "' >> /root/key && \\"},
                                               {"", "<br>"},
                                               {"2024-01-01T00:00:07Z app: ", ""}}));
  INFO(layout.lead);
  CHECK(read(layout.lead, written(layout.lead, layout.tail)) == body);
}

TEST_CASE("numbers before the lines of a key may grow by a digit") {
  for (const std::string lead :
       {"conf/key.pem:9:", "^a1b2c3d (Joe Doe 2024-01-01 10:00:00 +0100  9) ", "[0.9, \"o\", \""}) {
    std::string text = written(lead, lead[0] == '[' ? "\\r\\n\"]" : "");
    for (std::size_t at = text.find('9'), line = 9; at != std::string::npos; at = text.find('9', at + 2)) {
      const bool padded = text[at - 1] == ' ';
      text.replace(padded ? at - 1 : at, padded ? 2 : 1, std::to_string(++line));
    }
    INFO(text);
    CHECK(read(lead, text) == body);
  }
}

TEST_CASE("a key that commands write line by line is read, though they stand on one line") {
  for (const std::string quote : {"", "\"", "'", "\\\""})
    for (const std::string command : {"echo ", "printf '%s\\n' ", "echo -e "})
      for (const std::string then : {" && ", "; ", " \\u0026\\u0026 "}) {
        const std::string lead = command + quote, tail = quote + " >> /root/ssh/deploykey";
        std::string text = "-----BEGIN X-----" + tail;
        for (const auto& line : body) text += then + lead + line + tail;
        text += then + lead + "-----END X-----" + tail;
        INFO(text);
        CHECK(read("RUN /bin/sh -c mkdir /root" + then + lead, text) == body);
      }
}

TEST_CASE("line ends that are written out are line ends") {
  const std::string line_end = GENERATE(as<std::string>(), "\\n", "\\\\n", "\\r\\n", "&#10;", "&#xA;", "%0A", "%0D%0A",
                                        "\\u000a", "#012", "\\line ", "\\par\n", "$\n", " ");
  std::string text = "-----BEGIN X-----" + line_end;
  for (const auto& line : body) text += line + line_end;
  CHECK(read("key: ", text + "-----END X-----") == body);
}

TEST_CASE("characters of base64 that are written out are themselves") {
  for (const std::string text : {"-----BEGIN X-----\nab\\u002bcdefghij\n", "-----BEGIN X-----\nab&#43;cdefghij\n",
                                 "-----BEGIN X-----\nab%2Bcdefghij\n"})
    CHECK(read("", text) == std::vector<std::string>{"ab+cdefghij"});
}

TEST_CASE("what is no key of a single program is none, however it begins") {
  std::size_t size = 0;
  CHECK_FALSE(read_signify_key(Bytes(104)));
  CHECK_FALSE(read_minisign_key(Bytes(158)));
  CHECK_FALSE(read_dnssec_key("Private-key-format: v1.3\nAlgorithm: 13\nPrivateKey: ...\n", "", size));
  CHECK_FALSE(read_jwk(R"({"kty": "RSA", "n": "AQAB", "e": "AQAB"})", size));
  CHECK_FALSE(read_jwk(std::string(20000, '{'), size));
  CHECK_FALSE(read_dropbear_key(view_of(std::string("\0\0\0\7ssh-rsa", 11)), size));
  CHECK_FALSE(read_xml_rsa_key("<RSAKeyValue><Modulus>AQAB</Modulus></RSAKeyValue>", size));
  CHECK_FALSE(read_pgp_packets(Bytes{0x95, 0xff, 0xff, 4}));
  CHECK_FALSE(read_gpg_agent_key("(11:private-key(3:rsa(1:n99999:"));
  CHECK_FALSE(read_gpg_agent_key("(shadowed-private-key (rsa (n #00#)(e #01#)))"));
}

TEST_CASE("of a file that is one beginning after the other each is read up to the next one") {
  const std::string head =
      GENERATE(as<std::string>(), "-----BEGIN RSA PRIVATE KEY-----\n", "-----BEGIN OPENSSH PRIVATE KEY----- ",
               "-----BEGIN+PRIVATE+KEY-----\n", "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n",
               "PuTTY-User-Key-File-2: ssh-rsa\n", "Private-key-format: v1.3\n", "(11:private-key(3:rsa(",
               "-----BEGIN EC PRIVATE KEY-----\n-----BEGIN PRIVATE KEY-----\n");
  std::string text;
  for (int i = 0; i < 1000; ++i) text += head;
  CHECK(one_key(text).size() <= head.size());
  std::size_t left = 0;
  for (const auto& line : key_lines(text, text, "-----END")) left += line.size() + 1;
  CHECK(left <= head.size() + 2);
  // With a zero behind each line, as they stand in Vim's swap files.
  std::replace(text.begin(), text.end(), '\n', '\0');
  CHECK(key_lines(text, text, "-----END").size() <= 2);
}

TEST_CASE("what stands before a key costs no more than a line of it") {
  // (A file of nothing but beginnings of keys, without a line's end, asks this for each of them.)
  const std::string before(std::size_t{48} << 10, 'x');
  const std::clock_t began = std::clock();
  for (int i = 0; i < 20'000; ++i) REQUIRE(key_lines(before, "-----BEGIN X-----", "-----END").size() > 0);
  CHECK((std::clock() - began) / CLOCKS_PER_SEC < 4);
}
