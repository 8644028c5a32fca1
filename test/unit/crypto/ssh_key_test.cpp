// Against what ssh-keygen makes and says.
#include "crypto/ssh_key.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <ctime>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/process.hpp"
#include "base/temp_dir.hpp"
#include "base/text.hpp"
#include "crypto/signing_key.hpp"
#include "crypto/ssh_wire.hpp"

using namespace imgbuild;

namespace {

std::string must(std::vector<std::string> argv) {
  Command command;
  command.argv = std::move(argv);
  const Ran ran = run(command);
  if (ran.status != 0) throw Error(ran.err);
  return ran.out;
}

std::string make_key(const TempDir& folder, const std::string& name, std::vector<std::string> type,
                     const std::string& passphrase = "") {
  std::string path = folder.path() + "/" + name;
  std::vector<std::string> argv{"ssh-keygen", "-q", "-N", passphrase, "-f", path};
  argv.insert(argv.end(), type.begin(), type.end());
  must(argv);
  return path;
}

SshKey public_half(const std::string& path) { return parse_ssh_key_line(read_file(path + ".pub")); }

const std::vector<std::pair<std::string, std::vector<std::string>>>& kinds() {
  static const std::vector<std::pair<std::string, std::vector<std::string>>> all{
      {"ssh-ed25519", {"-t", "ed25519"}},
      {"ssh-rsa", {"-t", "rsa", "-b", "2048"}},
      {"ecdsa-sha2-nistp256", {"-t", "ecdsa", "-b", "256"}},
      {"ecdsa-sha2-nistp384", {"-t", "ecdsa", "-b", "384"}},
      {"ecdsa-sha2-nistp521", {"-t", "ecdsa", "-b", "521"}}};
  return all;
}

// A certificate of FOLDER/host, by FOLDER/authority, as ssh-keygen makes it with these options.
SshKey certificate(const TempDir& folder, std::vector<std::string> options) {
  std::vector<std::string> argv{"ssh-keygen", "-q", "-s", folder.path() + "/authority", "-I", "a host"};
  argv.insert(argv.end(), options.begin(), options.end());
  argv.push_back(folder.path() + "/host.pub");
  must(argv);
  return parse_ssh_key_line(read_file(folder.path() + "/host-cert.pub"));
}

}  // namespace

TEST_CASE("a public key has the type, size and fingerprint that ssh-keygen prints") {
  const TempDir folder;
  for (const auto& [type, options] : kinds()) {
    const std::string path = make_key(folder, type, options);
    const SshKey key = public_half(path);
    CHECK(key.type == type);
    CHECK(key.plain_type == type);
    const auto told = split(must({"ssh-keygen", "-l", "-f", path}), ' ');  // BITS FINGERPRINT ...
    CHECK(std::to_string(key.bits) == told[0]);
    CHECK(key.fingerprint() == told[1]);
    CHECK(key.plain == key.blob);
    CHECK_FALSE(key.certificate);
  }
}

TEST_CASE("a key file of each kind and format signs what its public key verifies") {
  const TempDir folder;
  for (const auto& [type, options] : kinds())
    for (const std::string format : {"RFC4716", "PKCS8", "PEM"}) {
      if (type == "ssh-ed25519" && format != "RFC4716") continue;  // OpenSSH writes it in its own format only
      INFO(type << " " << format);
      std::vector<std::string> with = options;
      with.insert(with.end(), {"-m", format});
      const std::string path = make_key(folder, type + format, with);
      const SigningKey key = SigningKey::load(path);
      const SshKey shown = public_half(path);
      CHECK(key.public_key().blob == shown.blob);
      const Bytes data(100, 7);
      for (const std::uint32_t flags : {2u, 4u}) {
        Bytes signature = key.sign(data, flags);
        CHECK(ssh_signature_verifies(shown, signature, data));
        CHECK_FALSE(ssh_signature_verifies(shown, signature, Bytes(100, 8)));
        signature[signature.size() / 2] ^= 1;
        CHECK_FALSE(ssh_signature_verifies(shown, signature, data));
      }
    }
}

TEST_CASE("ed25519 in PKCS#8, as other tools write it, signs too") {
  const TempDir folder;
  const std::string path = folder.path() + "/key.pem";
  must({"openssl", "genpkey", "-algorithm", "ed25519", "-out", path});
  const SigningKey key = SigningKey::load(path);
  CHECK(ssh_signature_verifies(key.public_key(), key.sign(Bytes{1}, 0), Bytes{1}));
}

TEST_CASE("what ssh-keygen signs is verified") {
  const TempDir folder;
  for (const auto& [type, options] : kinds()) {
    const std::string path = make_key(folder, type, options);
    const std::string file = folder.path() + "/text";
    write_file(file, "some text");
    must({"ssh-keygen", "-q", "-Y", "sign", "-n", "test", "-f", path, file});
    std::string armour;
    for (const auto& line : split(read_file(file + ".sig"), '\n'))
      if (!line.starts_with("-")) armour += line;
    const Bytes sshsig = *unbase64(armour);
    WireReader in(sshsig);
    in.take(6);
    in.u32();
    in.string();
    in.string();
    in.string();
    const std::string hash(in.text());
    CHECK(hash == "sha512");
    const std::string digest = must({"sha512sum", file}).substr(0, 128);
    const Bytes data =
        WireWriter().raw(view_of("SSHSIG")).string("test").string("").string(hash).string(*unhex(digest)).take();
    CHECK(ssh_signature_verifies(public_half(path), in.string(), data));
    must({"rm", file + ".sig"});
  }
}

TEST_CASE("a signature of another key, a SHA-1 one and a malformed one do not verify") {
  const TempDir folder;
  const Bytes data(20, 1);
  const SigningKey rsa = SigningKey::load(make_key(folder, "rsa", {"-t", "rsa", "-b", "2048"}));
  const SigningKey other = SigningKey::load(make_key(folder, "other", {"-t", "ed25519"}));
  const Bytes good = rsa.sign(data, 2);
  CHECK_FALSE(ssh_signature_verifies(other.public_key(), good, data));
  CHECK_FALSE(ssh_signature_verifies(rsa.public_key(), other.sign(data, 0), data));
  WireReader in(good);
  in.string();
  const View number = in.string();
  CHECK(ssh_signature_verifies(rsa.public_key(), WireWriter().string("rsa-sha2-256").string(number).bytes(), data));
  CHECK_FALSE(
      ssh_signature_verifies(rsa.public_key(), WireWriter().string("rsa-sha2-512").string(number).bytes(), data));
  CHECK_FALSE(ssh_signature_verifies(rsa.public_key(), WireWriter().string("ssh-rsa").string(number).bytes(), data));
  CHECK_THROWS_AS(rsa.sign(data, 0), Error);
  for (std::size_t cut = 0; cut < good.size(); cut += 7)
    CHECK_FALSE(ssh_signature_verifies(rsa.public_key(), View(good).first(cut), data));
  Bytes longer = good;
  longer.push_back(0);
  CHECK_FALSE(ssh_signature_verifies(rsa.public_key(), longer, data));
}

TEST_CASE("a FIDO key's signature is verified over what the authenticator signed") {
  // An authenticator in a few lines: an ordinary key that signs application, flags, counter and the data's hash.
  const TempDir folder;
  const SigningKey inner = SigningKey::load(make_key(folder, "inner", {"-t", "ed25519"}));
  WireReader blob(inner.public_key().blob);
  blob.string();
  const Bytes shown = WireWriter().string("sk-ssh-ed25519@openssh.com").string(blob.string()).string("ssh:").take();
  const SshKey key = parse_ssh_key(shown);
  CHECK(key.type == "sk-ssh-ed25519@openssh.com");
  const auto hash_of = [&](std::string_view text) {
    write_file(folder.path() + "/hashed", text);
    return *unhex(must({"sha256sum", folder.path() + "/hashed"}).substr(0, 64));
  };
  const Bytes stated = WireWriter().raw(hash_of("ssh:")).byte(1).u32(42).raw(hash_of("data")).take();
  const Bytes made = inner.sign(stated, 0);
  WireReader in(made);
  in.string();
  const View value = in.string();
  const auto signature = [&](std::uint8_t flags, std::uint32_t counter) {
    return WireWriter().string(key.type).string(value).byte(flags).u32(counter).take();
  };
  CHECK(ssh_signature_verifies(key, signature(1, 42), view_of("data")));
  CHECK_FALSE(ssh_signature_verifies(key, signature(1, 43), view_of("data")));
  CHECK_FALSE(ssh_signature_verifies(key, signature(0, 42), view_of("data")));
  CHECK_FALSE(ssh_signature_verifies(key, signature(1, 42), view_of("date")));
}

TEST_CASE("a host certificate is good for its names, in its time, and no further") {
  const TempDir folder;
  make_key(folder, "authority", {"-t", "ecdsa"});
  const SshKey plain = public_half(make_key(folder, "host", {"-t", "ed25519"}));
  const std::time_t now = std::time(nullptr);

  const SshKey good = certificate(folder, {"-h", "-n", "forge.test,*.forge.test", "-V", "-1d:+1d"});
  CHECK(good.type == "ssh-ed25519-cert-v01@openssh.com");
  CHECK(good.plain_type == "ssh-ed25519");
  CHECK(good.plain == plain.blob);
  CHECK(good.fingerprint() == plain.fingerprint());
  CHECK(host_certificate_fault(good, "forge.test", now).empty());
  CHECK(host_certificate_fault(good, "git.forge.test", now).empty());
  CHECK(host_certificate_fault(good, "FORGE.test", now).empty());
  CHECK(host_certificate_fault(good, "elsewhere.test", now) == "the host certificate is not for elsewhere.test");
  CHECK(host_certificate_fault(good, "forge.test", now + 2 * 86400) == "the host certificate has expired");
  CHECK(host_certificate_fault(good, "forge.test", now - 2 * 86400) == "the host certificate is not valid yet");
  CHECK(host_certificate_fault(plain, "forge.test", now) == "no certificate");

  CHECK(host_certificate_fault(certificate(folder, {"-h"}), "forge.test", now) ==
        "the host certificate is not for forge.test");
  CHECK(host_certificate_fault(certificate(folder, {"-n", "forge.test"}), "forge.test", now) ==
        "not a certificate of a host");
  CHECK(host_certificate_fault(certificate(folder, {"-h", "-n", "forge.test", "-O", "critical:odd=1"}), "forge.test",
                               now) == "the host certificate has critical options");

  // What was changed after it was signed: the key, the names, the serial number.
  for (const std::size_t at : {good.blob.size() / 8, good.blob.size() / 2}) {
    Bytes changed = good.blob;
    changed[at] ^= 1;
    CHECK_FALSE(host_certificate_fault(parse_ssh_key(changed), "forge.test", now).empty());
  }
}

TEST_CASE("certificates of every kind, by authorities of every kind, are verified") {
  const TempDir folder;
  for (const auto& [of, by] : {std::pair{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 0}}) {
    must({"rm", "-f", folder.path() + "/authority", folder.path() + "/host"});
    make_key(folder, "authority", kinds()[static_cast<std::size_t>(by)].second);
    make_key(folder, "host", kinds()[static_cast<std::size_t>(of)].second);
    const SshKey key = certificate(folder, {"-h", "-n", "forge.test"});
    CHECK(key.certificate.has_value());
    CHECK(host_certificate_fault(key, "forge.test", std::time(nullptr)).empty());
    const SigningKey host = SigningKey::load(folder.path() + "/host");
    CHECK(ssh_signature_verifies(key, host.sign(Bytes{1, 2}, 4), Bytes{1, 2}));
  }
}

TEST_CASE("key blobs that are cut, too long, weak or unknown are refused") {
  const TempDir folder;
  for (const auto& [type, options] : kinds()) {
    const SshKey key = public_half(make_key(folder, type, options));
    for (std::size_t cut = 0; cut < key.blob.size(); ++cut)
      CHECK_THROWS_AS(parse_ssh_key(View(key.blob).first(cut)), Error);
    Bytes longer = key.blob;
    longer.push_back(0);
    CHECK_THROWS_AS(parse_ssh_key(longer), Error);
  }
  CHECK_THROWS_WITH(parse_ssh_key(WireWriter().string("ssh-dss").bytes()), Catch::Contains("unknown type ssh-dss"));
  Bytes small(96, 0xff);
  CHECK_THROWS_WITH(parse_ssh_key(WireWriter().string("ssh-rsa").mpint(Bytes{1, 0, 1}).mpint(small).bytes()),
                    Catch::Contains("768 bits"));
  Bytes off_curve(65, 1);
  off_curve[0] = 4;
  CHECK_THROWS_WITH(
      parse_ssh_key(WireWriter().string("ecdsa-sha2-nistp256").string("nistp256").string(off_curve).bytes()),
      Catch::Contains("off its curve"));
  CHECK_THROWS_AS(
      parse_ssh_key_line("ssh-rsa " + base64(WireWriter().string("ssh-ed25519").string(Bytes(32, 1)).bytes())), Error);
}

TEST_CASE("a private key with a passphrase is refused with the command that helps") {
  const TempDir folder;
  for (const std::string format : {"RFC4716", "PKCS8", "PEM"}) {
    const std::string path = make_key(folder, format, {"-t", "rsa", "-b", "2048", "-m", format}, "a passphrase");
    try {
      SigningKey::load(path);
      FAIL(format);
    } catch (const Error& error) {
      CHECK(std::string(error.what()).find("the key has a passphrase") != std::string::npos);
      CHECK(error.hint() == "ssh-add " + path);
    }
  }
}

TEST_CASE("a damaged private key is an error that shows none of it") {
  const TempDir folder;
  const std::string path = make_key(folder, "key", {"-t", "ed25519"});
  const std::string content = read_file(path);
  CHECK_THROWS_AS(SigningKey::parse("", "key"), Error);
  CHECK_THROWS_AS(SigningKey::parse("ssh-ed25519 AAAA", "key"), Error);
  for (std::size_t cut = 1; cut + 1 < content.size(); cut += 5) {
    try {
      SigningKey::parse(content.substr(0, content.size() - 1 - cut), "key");
      FAIL("a cut key was taken");
    } catch (const Error& error) {
      CHECK(std::string(error.what()).size() < 100);
    }
  }
}

TEST_CASE("wildcards match as in known_hosts") {
  CHECK(wildcard_matches("*.example.com", "git.example.com"));
  CHECK_FALSE(wildcard_matches("*.example.com", "example.com"));
  CHECK(wildcard_matches("10.0.?.*", "10.0.1.255"));
  CHECK_FALSE(wildcard_matches("10.0.?.*", "10.0.12.1"));
  CHECK(wildcard_matches("[*]:22*", "[host]:2222"));
  CHECK(wildcard_matches("*", ""));
  CHECK_FALSE(wildcard_matches("?", ""));
  CHECK_FALSE(wildcard_matches("a*b*c", "a-b-b"));
}
