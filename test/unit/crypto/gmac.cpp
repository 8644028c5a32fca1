#include "crypto/gmac.hpp"

#include <catch2/catch.hpp>

#include "base/text.hpp"

using namespace imgbuild;

TEST_CASE("a MAC is that of the published vector, and another one for another text or key, however it is cut") {
  const Gmac::Key zero{};
  // Test case 13 of "The Galois/Counter Mode of Operation" (McGrew, Viega): nothing at all.
  const Gmac::Tag nothing = Gmac(zero).finish();
  CHECK(hex(nothing) == "530f8afbc74536b9a963b4f1c4cb738b");

  const std::string text(100001, 'x');
  const auto tag = [&](const std::string& of, std::size_t piece, const Gmac::Key& key) {
    Gmac mac(key);
    for (std::size_t at = 0; at < of.size(); at += piece) mac.update(view_of(std::string_view(of).substr(at, piece)));
    return mac.finish();
  };
  const Gmac::Tag whole = tag(text, text.size(), zero);
  for (const std::size_t piece : {1, 15, 16, 17, 4096}) CHECK(tag(text, piece, zero) == whole);
  std::string other = text;
  other[50000] = 'y';
  CHECK(tag(other, 4096, zero) != whole);
  CHECK(tag(text + "x", 4096, zero) != whole);
  Gmac::Key key{};
  key[31] = 1;
  CHECK(tag(text, 4096, key) != whole);
}
