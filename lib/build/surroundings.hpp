#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "build/build.hpp"

/// What a builder has around it: tokens for git, proxies, certificate authorities. None of it is in the image's config.
namespace imgbuild {

/// The user that a forge wants beside a token: "x-access-token" (GitHub, and who does not care), "oauth2" (GitLab),
/// "gitlab-ci-token" (GitLab's job tokens: $CI_JOB_TOKEN or glcbt-...), "x-token-auth" (Bitbucket). `variable`: that
/// the token came from; may be empty. By docs.github.com (apps/creating-github-apps, "installation access tokens"),
/// docs.gitlab.com (user/profile/personal_access_tokens, ci/jobs/ci_job_token), support.atlassian.com (bitbucket-cloud,
/// "using access tokens").
std::string git_user(std::string_view host, std::string_view variable, std::string_view token);

/// git's credential helper for each token of the plan, as "K=V" of the script's environment: GIT_CONFIG_COUNT, KEY and
/// VALUE (git 2.31), behind those that `env` has; and GIT_CONFIG_PARAMETERS, which older ones read. The token itself is
/// in neither: the helper reads the secret's file under `secrets`. Other helpers are not asked for that host, so that
/// none stores the token.
std::vector<std::string> git_environment(const Plan& plan, const std::vector<std::string>& env,
                                         const std::string& secrets);

/// The same as a file in git's format, for a RUN with the secret `gitconfig`.
std::string git_config_file(const Plan& plan, const std::string& secrets);

/// What BuildKit's own git (an ADD of a repository) gets as the secret `id`: GIT_AUTH_HEADER.HOST, the value of an
/// Authorization header with the token's user, and GIT_AUTH_TOKEN.HOST, the token, which BuildKit itself gives the user
/// x-access-token (github.com/moby/buildkit, source/git). Empty: there is no token of that host; nor for the ids
/// without a host, whose value it would show to every host; nor for what it asks for of its own accord for any other
/// download (HTTP_AUTH_HEADER...). nullopt: no such id.
std::optional<Secret> git_login(const std::vector<GitToken>& tokens, const std::vector<HandedSecret>& secrets,
                                std::string_view id);

/// The proxies, "K=V" in both spellings that programs read.
std::vector<std::string> proxy_environment(const Plan& plan);

/// What of a proxy's URL nobody may see: the whole, and its password as written and decoded. Empty where there is no
/// password in it.
std::vector<std::string> secrets_of_proxy(std::string_view url);

}  // namespace imgbuild
