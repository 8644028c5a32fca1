// PDFs that are encrypted, as qpdf makes them: with an empty password they are read, else that is told.
#include <catch2/catch.hpp>

#include "look.hpp"

using namespace imgbuild;
using namespace imgbuild::test;

namespace {

const std::string other_token = whole("npm_{{}}R2vRvEBmS3cHhKHq9Zlk{{}}VGPmOmDTjm0mIkE4");

/// A PDF with a token in a stream, and another one in a string.
void put_plain(const TempDir& folder) {
  const std::string page = "BT /F1 12 Tf 50 700 Td (GITHUB_TOKEN=" + token + ") Tj ET\n";
  const std::string text =
      "%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
      "2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n"
      "3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R >>\nendobj\n"
      "4 0 obj\n<< /Length " +
      std::to_string(page.size()) + " >>\nstream\n" + page +
      "endstream\nendobj\n5 0 obj\n<< /Title (a \\(small\\) title) /Keywords (" + other_token +
      ") >>\nendobj\ntrailer\n<< /Root 1 0 R /Info 5 0 R /Size 6 >>\n%%EOF\n";
  put(folder, "plain.pdf", text);
}

std::string sealed(const TempDir& folder, const std::string& flags) {
  return shell(folder, "qpdf --warning-exit-0 --allow-weak-crypto plain.pdf sealed.pdf " + flags +
                           " 2>/dev/null >&2; cat sealed.pdf; rm -f sealed.pdf");
}

const std::vector<std::string> ways = {"40 --",
                                       "128 --use-aes=n --",
                                       "128 --use-aes=n --force-V4 --",
                                       "128 --use-aes=y --",
                                       "128 --use-aes=y --cleartext-metadata --",
                                       "256 --force-R5 --allow-insecure --",
                                       "256 --allow-insecure --",
                                       "256 --cleartext-metadata --allow-insecure --"};

}  // namespace

TEST_CASE("A PDF whose password is empty is read, whatever its revision") {
  const TempDir folder;
  put_plain(folder);
  for (const std::string& way : ways)
    for (const std::string layout : {"", " --object-streams=generate", " --linearize", " --compress-streams=n",
                                     " --object-streams=generate --compress-streams=n"})
      for (const std::string owner : {"''", "owner"}) {
        INFO(way << layout << " " << owner);
        const std::string pdf = sealed(folder, "--encrypt '' " + owner + " " + way + layout);
        REQUIRE(pdf.starts_with("%PDF-"));
        REQUIRE(pdf.find(token) == std::string::npos);
        for (const std::size_t piece : {std::size_t{0}, std::size_t{1}, std::size_t{1000}}) {
          const Look look(pdf, piece > 0, piece);
          CHECK(look.finds("github.token file "));
          CHECK(look.finds("npm.access-token file "));
          CHECK(look.gaps().empty());
        }
      }
}

TEST_CASE("A PDF that has a password is told, with the digest that an allow-entry names it by") {
  const TempDir folder;
  put_plain(folder);
  for (const std::string& way : ways)
    for (const std::string layout : {"", " --object-streams=generate"}) {
      INFO(way << layout);
      const std::string pdf = sealed(folder, "--encrypt word other " + way + layout);
      REQUIRE(pdf.starts_with("%PDF-"));
      for (const bool streamed : {false, true}) {
        const Look look(pdf, streamed, 1000);
        REQUIRE(look.gaps() == std::vector<std::string>{"srv/file: encrypted"});
        CHECK(look.record.gaps[0].sha256.size() == 71);
        CHECK(look.record.gaps[0].bytes == pdf.size());
      }
    }
}

TEST_CASE("An encrypted PDF that is damaged is read as far as it goes, and a plain one has no word about encryption") {
  const TempDir folder;
  put_plain(folder);
  CHECK(Look(shell(folder, "qpdf --warning-exit-0 plain.pdf - 2>/dev/null")).gaps().empty());
  const std::string pdf = sealed(folder, "--encrypt '' owner 256 --");
  for (std::size_t i = 0; i < pdf.size(); i += 37) {
    std::string changed = pdf;
    changed[i] = static_cast<char>(changed[i] ^ 0x15);
    const Look whole(changed), streamed(changed, true, 11);
    CHECK(whole.hits() == streamed.hits());
    CHECK(whole.gaps() == streamed.gaps());
    CHECK(Look(pdf.substr(0, i)).hits() == Look(pdf.substr(0, i), true, 11).hits());
  }
  // What names an encryption that is not there cannot be read.
  std::string lost = pdf;
  const std::size_t reference = lost.rfind("/Encrypt ");
  REQUIRE(reference != std::string::npos);
  lost.replace(reference + 9, 1, "9");
  CHECK(Look(lost).gaps() == std::vector<std::string>{"srv/file: encrypted"});
  for (const std::string& rest : std::vector<std::string>{
           "trailer<</Encrypt 1 0 R>>1 0 obj<</Filter/Standard/V 9/R 9>>", "trailer/Encrypt<<",
           "trailer/Encrypt " + std::string(50000, '<'), "trailer/Encrypt<</Filter/Standard/V 2/R 3/Length 999>>",
           "trailer/Encrypt<</Filter/Standard/V 5/R 6/O()/U()/UE()>>",
           "trailer/Encrypt 1 0 R 1 0 obj" + std::string(9, '(')})
    CHECK(Look("%PDF-1.4\n%%%% of a few lines\n" + rest).gaps() == std::vector<std::string>{"srv/file: encrypted"});
  CHECK(Look("%PDF-1.4\nwhat /Encrypt means to readers of a trailer, and /EncryptMetadata\n").gaps().empty());
}
