#pragma once
#include <string_view>

/// What looks like a secret and is meant to be seen. Room-internal. Any thread; linear in the size of `secret`.
namespace imgbuild {

/// Is a text meant for everybody, by what it says itself or by what is said around it?
///  - a token of Supabase's for those who are not logged in: its payload has the role "anon" and names no user
///    (https://supabase.com/docs/guides/api/api-keys); one of the role service_role is a secret;
///  - a key of Algolia's that can only search, which stands in the pages of a site: beside the name of an index, as
///    DocSearch has it (https://docsearch.algolia.com/docs/api), or named a search key;
///  - the sum of a secret's file in an annotation, by which Helm restarts what reads it: checksum/secret: ...
/// `before` and `after` are what stands around it, as far as they are known.
bool is_meant_to_be_public(std::string_view secret, std::string_view before, std::string_view after);

}  // namespace imgbuild
