// Private keys that everybody has. Each was read out of a package of a public archive: a library's self-test, a test
// suite, an example. Sorted by fingerprint; the text says where it stands.
#include "scan/published.hpp"

#include <algorithm>
#include <iterator>

namespace imgbuild {
namespace {

struct Entry {
  std::string_view fingerprint;  // without "SHA256:"
  std::string_view where;
};

// clang-format off
constexpr Entry entries[] = {
    {"/LGTMVBvVsunYLbTqQ4XtAnZyZbjj6SJeEOnFwvXHFI", "golang-golang-x-crypto-dev 1:0.4.0-1: keys.go"},
    {"/s7hC1qbiBH8ldTc08GJSkZlmCiNIbFLFmlDUIrRkck", "libgnutls30 3.7.9-2+deb12u7: libgnutls.so.30.34.3"},
    {"0TayTGCwtOswrxKJHFCJwWgsYHFzkpOGLdU78IljJOU", "python3-tornado 6.2.0-3+deb12u4: test.key"},
    {"2uCxBug8PvuBauSilfbMtXF2eseIMIhT8ZizSvWb0gM", "libpython3.11-testsuite 3.11.2-6+deb12u9: badcert.pem"},
    {"6chU5jHaZBvB38hM5wzSaF0q6CO4IUcSy5bhZEUR58s", "libpython3.11-testsuite 3.11.2-6+deb12u9: pycakey.pem"},
    {"6sTSqkgKv8jHqPKBzQVKYen+NEl3aRDT56Xy0Ph7kjc", "golang-golang-x-crypto-dev 1:0.4.0-1: jws_test.go"},
    {"7d8MRnsj+yzGstqR/3eXKwYhNFv8hJ2HNqZLpAIf8JA", "libmbedx509-1 2.28.3-1: libmbedx509.so.2.28.3"},
    {"8i+omrpg5RohKEZ4rjSAaa5FxM+0VkhSD+fBg8Rs15w", "python3-twisted 22.4.0-4+deb12u1: keydata.py"},
    {"9PAndKKHvNyZNEvUrBiX4s9pIvqfzgHdz5RCbuLVqdc", "golang-golang-x-crypto-dev 1:0.4.0-1: keys.go"},
    {"9eysRTemQy+pi4uX2j92JAcGgs+8e1mDn+RKNok0XX4", "golang-golang-x-crypto-dev 1:0.4.0-1: jws_test.go"},
    {"Anr3LjZK8YVpjrxu79myrW9Hrb/wpcMNpVvTq/RcBm8", "golang-golang-x-crypto-dev 1:0.4.0-1: keys.go"},
    {"BD2GDiVQTPZAYt0gp/vY3XfuSXAGlUAO2Yyw6uGxPww", "google-cloud-sdk 528.0.0: test_signed_urls.py"},
    {"DbuSF5a8c3JMmpZ5WiK8oLAx97Uu8zIAFReb/NyTPuo", "golang-golang-x-crypto-dev 1:0.4.0-1: keys.go"},
    {"DtsBZAH/XGFBvRth027chbrgU/GbZLfsdX4XAHSC61Q", "libpython3.11-testsuite 3.11.2-6+deb12u9: keycert4.pem"},
    {"EYb3seR7zeXfX5vRAHvcZ4f/25rWfBmDoC5t2UVlUYs", "libgnutls30 3.7.9-2+deb12u7: libgnutls.so.30.34.3"},
    {"FBTCOoknq0mHy+kpfnY9tDdcAJuWtCpuQMaV3EsvbUI", "python3-twisted 22.4.0-4+deb12u1: keydata.py"},
    {"FIQhk3/3BxBU8HNZzcejroY+e9/r568uwTVIgQ3mVXc", "golang-golang-x-crypto-dev 1:0.4.0-1: keys.go"},
    {"FIr06GMMW1RUFpjYuOM+Jn2zOdEohqnf5fzrxfrMNEQ", "python3-twisted 22.4.0-4+deb12u1: test_keys.py"},
    {"G9zym1iDsGqOnUEw5KrjiIvagcZygcr95upI+ic04eA", "libio-socket-ssl-perl 2.081-2: simulate_proxy.pl"},
    {"Gj99CK2GB2P61L4MVqDxcpD0HaYhCwgHbH8uL/IYRbE", "google-cloud-sdk 528.0.0: service_account_non_gdu.json"},
    {"IJlZGonR9SXInG0/Z8FFo3hOa9qRriZMdakCKf5NT6g", "golang-golang-x-crypto-dev 1:0.4.0-1: keys.go"},
    {"JKaMaxIGHyPc24FL5lYcDmOI/9bRlV7lXbE6AtSmorA", "libpython3.11-testsuite 3.11.2-6+deb12u9: keycert3.pem"},
    {"K9vrvm+FH/KhXcZ4vCuky8P/5cZy8sJDiyMqGX3HjMU", "python3-twisted 22.4.0-4+deb12u1: keydata.py"},
    {"KefdPCEYKIG607jWwCQKoECRnPKlokiy5ekTNSlclQI", "python3-twisted 22.4.0-4+deb12u1: keydata.py"},
    {"LlSjGK5PPGuW1gZUb4VEvMXV1oLC1BNk6aGyTHT6tH8", "google-cloud-sdk 528.0.0: ca-private.key"},
    {"M0ryLhYo15ll5vmA1w0tecRPGeYGSoqHXDb+6/eVv8E", "libpython3.11-testsuite 3.11.2-6+deb12u9: keycertecc.pem"},
    {"M2ycZJ60g+qTqdyO94on2pDhAjMObE9w3clZTQ93l3Y", "google-cloud-sdk 528.0.0: test.json"},
    {"N+emg0WsK+HDrYEHcFqMYcLkzjpnqqZeKFt76d9EzHE", "golang-golang-x-crypto-dev 1:0.4.0-1: jws_test.go"},
    {"P1ExSidxHPJnipM6BXdY4vvErwHvEvGSILIfBTiIwYc", "google-cloud-sdk 528.0.0: es256_privatekey.pem"},
    {"PpYc5dY4L2LVLpIRErzIMPWbE1qL97QLoFIdOmgOzWI", "google-cloud-sdk 528.0.0: server.key"},
    {"PsCW780uRQ7Gd9AEuC41tJmMyunRxzZdcGmuQn5ZRFI", "golang-golang-x-crypto-dev 1:0.4.0-1: keys.go"},
    {"To03tlxBwlF8JMeme0rKWaOfF+mLWlpUrqMtiIOm9Tg", "golang-golang-x-crypto-dev 1:0.4.0-1: keys.go"},
    {"U3zyPNGRPqIj84hBshjV/DDJ0iBrxkOUUqVRgDfr000", "libgnutls30 3.7.9-2+deb12u7: libgnutls.so.30.34.3"},
    {"W2veHJWIxCHB/Ss9Tgngm3IGP3u5GWauisMhbOMuAkk", "libmbedx509-1 2.28.3-1: libmbedx509.so.2.28.3"},
    {"Wz5o2YbKyxOEcJn1au/UaALSVruUzfz0vaLI1xiIGyY", "python3-twisted 22.4.0-4+deb12u1: keydata.py"},
    {"X09rD0Sq5hmSqLWbdLE8+Uwa0+T59bEdEKOEANrKaeQ", "libpython3.11-testsuite 3.11.2-6+deb12u9: allsans.pem"},
    {"XLJlGaTJ5I77R2BT31Q9uvTw8rIqFuLHJLBGF1GjTeA", "libxmlsec1-dev 1.2.37-2: rsakey.pem"},
    {"Y6dhxDF81HIxJ61Vpl0UCOJC9nozNW0JLEuusk7ryHU", "libmbedx509-1 2.28.3-1: libmbedx509.so.2.28.3"},
    {"YDv0C4zC4aJOtai8kHFdPwTuecxcyZB5I2GbA65D4IU", "libgnutls30 3.7.9-2+deb12u7: libgnutls.so.30.34.3"},
    {"ZO6zwqWCN7umT4Ng7fosCnOqwoVaHOYU4JK00sU1m9k", "google-cloud-sdk 528.0.0: client.key"},
    {"ZhSCpguE+QlI0gjpp2qCdOpZKe3DCNC98J2p0xjDQpA", "golang-golang-x-crypto-dev 1:0.4.0-1: keys.go"},
    {"aHKMlqEoIY2gWA1g6E399sDJrum/0l6/AJItbwnQJ3M", "libgnutls30 3.7.9-2+deb12u7: libgnutls.so.30.34.3"},
    {"aTOClQtdjWd6ramaZSkxPI9c4L5sDR/3RimBlUMfraM", "libgnutls30 3.7.9-2+deb12u7: libgnutls.so.30.34.3"},
    {"bTAIbJSzsHQVwTiYs+C3fbk9QFlKUUMY1Xhu4ZH+32k", "golang-golang-x-crypto-dev 1:0.4.0-1: keys.go"},
    {"bYqGHysNs1SVlpFZg+znZbFYpocNY2A/7i2Y/5w+7VU", "libgnutls30 3.7.9-2+deb12u7: libgnutls.so.30.34.3"},
    {"cY40kOOVZ9MMvcc+mFNwFjWMko0eNBSNNfN9K4+W9w8", "google-cloud-sdk 528.0.0: cacert.key"},
    {"fJnSpgCcYoYYsaBbnWj1YBghGh/QTDgfe4w4U5M5tEo", "python3-twisted 22.4.0-4+deb12u1: keydata.py"},
    {"h+SCdoWDLv6YE6FaU3B34DGLT7oNEsRSdkMmgdC762A", "golang-golang-x-crypto-dev 1:0.4.0-1: jws_test.go"},
    {"hDGrDRQCFhDJe4ek5+l0fYPhNBP2Ypqxp9EyFhtfK3w", "golang-1.19-src 1.19.8-2: example_test.go"},
    {"iWin3QK/WB+xZ3H3edPBA8vTZzzPRr0qG6E8bq39mKc", "libpython3.11-testsuite 3.11.2-6+deb12u9: keycert2.pem"},
    {"kFjiZC7Z387dJ43JoQRuqkA9KIa/rbkRI93MGbMaXMo", "python3-twisted 22.4.0-4+deb12u1: key.pem.no_trailing_newline"},
    {"lDkKydt0PGPYuB//OhOpB2ih6hYIk5YV+PnQyCXW4LU", "google-cloud-sdk 528.0.0: server.key"},
    {"mV1mPX4S6TE+odyfWDXGrC5fvQbLh+w8o2NK3q2MmYw", "golang-golang-x-crypto-dev 1:0.4.0-1: keys.go"},
    {"nM3xixEYSnB8ECRkvFLkryX8cvy7r8PVQTIxb22JOqQ", "golang-golang-x-crypto-dev 1:0.4.0-1: keys.go"},
    {"nug2nJmHJ1pEXDbLSwb2G2pXrPJmdqVoI/jSBxrjblU", "libpython3.11-testsuite 3.11.2-6+deb12u9: idnsans.pem"},
    {"od+o5RO8ojipwWAs7AA1RmMb5tZz8xR4Mj56wHktBkk", "google-cloud-sdk 528.0.0: server.key"},
    {"q49Xg+uSMuQ/jwPpi6OY0tHssW7qZy7NSc4/OHFE21U", "golang-golang-x-crypto-dev 1:0.4.0-1: keys.go"},
    {"qgIEN07waAjDGfdFWcPp40SLRhTE1+xmdGSx3mxy3IQ", "libmbedx509-1 2.28.3-1: libmbedx509.so.2.28.3"},
    {"s23mXXddoBN4UkbnZy3p5ds5QbE0WjqolrVMx9K6gjI", "google-cloud-sdk 528.0.0: gdch_service_account.json"},
    {"sAOHnI5hFjn5ved9pgQkUKHe6QIoSm4gB5T73/WVLpk", "go 1.26.8: platform_root_key.pem"},
    {"suzZ8lAHKhypjeCG0sLgL45bYXjIosrhFUMDwafg594", "libpython3.11-testsuite 3.11.2-6+deb12u9: ssl_key.pem"},
    {"syaYelwqE6hSggtpRnM88y076VIoIiUMjeEt4YmAQNg", "golang-golang-x-crypto-dev 1:0.4.0-1: keys.go"},
    {"tMjHAnL+kymEApiHlIvwUpg/g3fF7ew+iWOUDxLqW6w", "libpython3.11-testsuite 3.11.2-6+deb12u9: nosan.pem"},
    {"vpjmIQqFt+isvIX86lyWzvbyXTxM4DQQOkn2W6Vcq3M", "golang-golang-x-crypto-dev 1:0.4.0-1: keys.go"},
    {"xQkH9XRiDJaMKCEYGQIPFceHFHOTUj+51Y/YE/yBZeM", "python3-aiohttp 3.8.4-1+deb12u2: server.key"},
    {"zve1wvOx9b8wecE80krk9KgoiA5KSPgXIJFWYsdwhhA", "golang-golang-x-crypto-dev 1:0.4.0-1: keys.go"},
};
// clang-format on

}  // namespace

std::string_view published_key(std::string_view fingerprint) {
  static constexpr std::string_view prefix = "SHA256:";
  if (!fingerprint.starts_with(prefix)) return {};
  fingerprint.remove_prefix(prefix.size());
  const auto* at =
      std::lower_bound(std::begin(entries), std::end(entries), fingerprint,
                       [](const Entry& entry, std::string_view sought) { return entry.fingerprint < sought; });
  return at != std::end(entries) && at->fingerprint == fingerprint ? at->where : std::string_view{};
}

}  // namespace imgbuild
