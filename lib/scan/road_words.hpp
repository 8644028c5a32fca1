#pragma once
#include <cstdint>

namespace imgbuild {

/// What a program does with the texts around a word of its own.
enum class Road : std::uint8_t {
  concat,   ///< concat("a", "b"): all that it is given
  join,     ///< join("", "a", "b"), ["a", "b"].join: a list
  format,   ///< "%s%s", "a", "b"
  append,   ///< .append("a").append("b")
  more,     ///< x += "b"
  batch,    ///< set x=%x%b
  operate,  ///< "a" << "b"
  reverse,  ///< "ba".reverse
  rot13,    ///< "no" in rot13
  decode,   ///< b64decode("bm8=")
  drop,     ///< what stands there is nothing: a line that goes on, <wbr>
  column,   ///< the head of a column: user;password
  sum,      ///< a + b: of names
  within,   ///< "$a$b": names in a text
  pairs,    ///< a list of users and their passwords
  wrap      ///< a token begins that may go on in the next lines
};

/// A word that the first stage looks for beside those of the rules (anchors.cpp), as a pattern of fixed width.
struct RoadWord {
  const char* text;
  std::uint32_t width;
  Road road;
};

inline constexpr RoadWord road_words[] = {
    {"concat", 6, Road::concat},
    {"paste0", 6, Road::concat},
    {"join", 4, Road::join},
    {"implode", 7, Road::join},
    {"%s%s", 4, Road::format},
    {"\\{\\}\\{\\}", 4, Road::format},
    {"\\{0\\}\\{1\\}", 6, Road::format},
    {"\\.append\\(", 8, Road::append},
    {"[+.]=[\"']", 3, Road::more},
    {"[+.]= [\"']", 4, Road::more},
    {"=%[a-z]", 3, Road::batch},
    {"%%[a-z]", 3, Road::within},
    {"[\"']<[<>]", 3, Road::operate},
    {"[\"'] <[<>]", 4, Road::operate},
    {"[\"']\\*[\"']", 3, Road::operate},
    {"[\"'] \\* [\"']", 5, Road::operate},
    {"[\"'] [\"']", 3, Road::operate},
    {"[\"'] [brf][\"']", 4, Road::operate},
    {"[\"'] \\^ [\"']", 5, Road::operate},
    {"[\"'] #", 3, Road::operate},
    {"[\"']  #", 4, Road::operate},
    {"[\"']/[/*]", 3, Road::operate},
    {"[\"'] /[/*]", 4, Road::operate},
    {"[\"'] & _", 5, Road::operate},
    // (The windows of each are few, or the first stage is slow: of names that are joined without a blank, and of bare
    // ones, only those are seen that begin as most do.)
    {"[a-z0-9_\\]] \\+ [a-z_$]", 5, Road::sum},
    {"[\"'] \\+ [a-z_$]", 5, Road::sum},
    {"[a-z0-9_] \\+ [\"']", 5, Road::sum},
    {"1\\+[abkpstx_]", 3, Road::sum},
    {"\\]\\+_", 3, Road::sum},
    {"[a-z0-9_] & [a-z_]", 5, Road::sum},
    {"[a-z0-9_] \\.\\. [a-z_]", 6, Road::sum},
    {"[a-z0-9_\\]] \\. \\$[a-z_]", 6, Road::sum},
    {"[\"'] \\. \\$[a-z_]", 6, Road::sum},
    {"\\.\\$[abkpstx_]", 3, Road::sum},
    {"\\}\\$\\{", 3, Road::within},
    {"\\}[-_.:]\\$\\{", 4, Road::within},
    {"\\}#\\{", 3, Road::within},
    {"\\}\\{\\$", 3, Road::within},
    {"\\}\\}\\{\\{", 4, Road::within},
    {"[f$][\"']\\{", 3, Road::within},
    {"!\\(\"\\{[a-z_]", 5, Road::within},
    {"[a-z0-9_]\\)\\\\\\([a-z_]", 5, Road::within},
    {"[a-z0-9_]\\)\\$\\([a-z_]", 5, Road::within},
    {"[ =(:]\"\\$[a-z_]", 4, Road::within},
    {"=\\$[abkpstx_]", 3, Road::within},
    {": \\$[a-z_]", 4, Road::within},
    {"reverse", 7, Road::reverse},
    {"strrev", 6, Road::reverse},
    {"::-1\\]", 5, Road::reverse},
    {"\\| rev", 5, Road::reverse},
    {"\\|rev", 4, Road::reverse},
    {"rev <<", 6, Road::reverse},
    {"rot13", 5, Road::rot13},
    {"rot[_-]13", 6, Road::rot13},
    {"n-za-m", 6, Road::rot13},
    {"64decode", 8, Road::decode},
    {"64_decode", 9, Road::decode},
    {"64::decode", 10, Road::decode},
    {"64\\.decode", 9, Road::decode},
    {"32decode", 8, Road::decode},
    {"85decode", 8, Road::decode},
    {"16decode", 8, Road::decode},
    {"fromhex", 7, Road::decode},
    {"unhexlify", 9, Road::decode},
    {"hex2bin", 7, Road::decode},
    {"[\"']H\\*[\"']", 4, Road::decode},
    {"hex!\\(", 5, Road::decode},
    {"xxd -r", 6, Road::decode},
    {"atob\\(", 5, Road::decode},
    {"frombase64", 10, Road::decode},
    {"decodebase64", 12, Road::decode},
    {"decodestring", 12, Road::decode},
    {"getdecoder", 10, Road::decode},
    {"base64 -d", 9, Road::decode},
    {"base64 --d", 10, Road::decode},
    {"buffer\\.from\\(", 12, Road::decode},
    {"decodeuri", 9, Road::decode},
    {"urldecode", 9, Road::decode},
    {"unescape\\(", 9, Road::decode},
    {"unhex\\(", 6, Road::decode},
    {"[&.+|] chr\\(", 6, Road::decode},
    {"[&.+|]chr\\(", 5, Road::decode},
    {"charcode\\(", 9, Road::decode},
    {"PASSWORD", 8, Road::column},
    {"PASSWD", 6, Road::column},
    {"PASSWORT", 8, Road::column},
    {"KENNWORT", 8, Road::column},
    {"CONTRASENA", 10, Road::column},
    {"CLAVE", 5, Road::column},
    {"SENHA", 5, Road::column},
    {"MOT_DE_PASSE", 12, Road::column},
    {"WACHTWOORD", 10, Road::column},
    {"HASLO", 5, Road::column},
    {"_SECRET", 7, Road::column},
    {"API_KEY", 7, Road::column},
    {",PASS", 5, Road::column},
    {", PASS", 6, Road::column},
    {";PASS", 5, Road::column},
    {"\\tPASS", 5, Road::column},
    {",PWD", 4, Road::column},
    {", PWD", 5, Road::column},
    {"USERS", 5, Road::pairs},
    {"ACCOUNTS", 8, Road::pairs},
    {"CREDENTIALS", 11, Road::pairs},
    {"PASSWORDS", 9, Road::pairs},
    {"LOGINS", 6, Road::pairs},
    {"CREDS", 5, Road::pairs},
    {"github_pat_", 11, Road::wrap},
    {"ghp_", 4, Road::wrap},
    {"gho_", 4, Road::wrap},
    {"ghs_", 4, Road::wrap},
    {"glpat-", 6, Road::wrap},
    {"xoxb-", 5, Road::wrap},
    {"xoxp-", 5, Road::wrap},
    {"sk-ant-", 7, Road::wrap},
    {"sk-proj-", 8, Road::wrap},
    {"hvs\\.", 4, Road::wrap},
    {"pypi-AgE", 8, Road::wrap},
    {"dop_v1_", 7, Road::wrap},
    {"shpat_", 6, Road::wrap},
    {"sk_live_", 8, Road::wrap},
    {"<wbr>", 5, Road::drop},
    {"<wbr/>", 6, Road::drop},
    {"<em>", 4, Road::drop},
    {"</em>", 5, Road::drop},
    {"<mark", 5, Road::drop},
    {"</mark>", 7, Road::drop},
    {"<b>", 3, Road::drop},
    {"</b>", 4, Road::drop},
    {"<strong>", 8, Road::drop},
    {"</strong>", 9, Road::drop},
    {"<font", 5, Road::drop},
    {"</font>", 7, Road::drop},
    {"<span", 5, Road::drop},
    {"</span>", 7, Road::drop},
    {"<text:span", 10, Road::drop},
    {"</text:span>", 12, Road::drop},
    {"</w:t>", 6, Road::drop},
    {"</a:t>", 6, Road::drop},
    {"</t>", 4, Road::drop},
    {"\\]\\]><!\\[CDATA\\[", 12, Road::drop},
    {"\\x1b\\[[0-9mK]", 3, Road::drop},
    {"\\\\'5f", 4, Road::drop},
    {"\\^\\n", 2, Road::drop},
    {"\\^\\r\\n", 3, Road::drop},
    {"\\\\\\n[ \\t]", 3, Road::drop},
    {"\\\\\\r\\n[ \\t]", 4, Road::drop},
};

}  // namespace imgbuild
