# A token lets git in the builder clone private code over HTTPS, submodules too, from the host that it is for and no
# other; it stands in no file of git's, and an image that it got into is refused.
. "$(dirname "$0")/_common.sh"
. "$SOURCE/test/e2e/_git.sh"
engine_base_debian
git_up "$t/forge"
git_repository lib
git_repository app "https://$GIT_HOST/lib.git" lib
mkdir "$t/app"
export FORGE_TOKEN=$GIT_TOKEN
builds() {
  local want=$1 script=$2
  shift 2
  printf '%s\n' "$script" >"$t/script.sh"
  docker rmi -f "e2e/$name:${tag:-1}" >/dev/null 2>&1 || true
  ran "$want" "$IMGBUILD" build "$t/app" --from imgbuild-test/debian:1 --network host --run "$t/script.sh" -t "e2e/$name:${tag:-1}" \
    --secret id=forge,env=FORGE_TOKEN --ca-cert "$t/forge/ca.crt" --report "$t/report.json" "$@"
  hasnt "$t/err" "$GIT_TOKEN"
  hasnt "$t/report.json" "$GIT_TOKEN"
}
token=(--git-token "$GIT_HOST=forge")

# As root and as another user. A helper that stores is not asked: nothing of git's holds the token.
builds 0 "git config --system credential.helper store
git clone -q --recurse-submodules https://$GIT_HOST/app.git /srv/app
grep -q 'private part of lib' /srv/app/lib/main.c
test -z \"\$FORGE_TOKEN\"" "${token[@]}"
has "$GIT_LOG" "https /lib.git/info/refs?service=git-upload-pack x-access-token"
builds 0 "git clone -q https://$GIT_HOST/app.git /tmp/app && test -s /tmp/app/main.c && rm -r /tmp/app" --user nobody "${token[@]}"
# Another user's name, an address with a user in it, and settings of one's own beside ours.
: >"$GIT_LOG"
builds 0 "git clone -q https://someone@$GIT_HOST/app.git /srv/app && test \"\$(git config test.key)\" = mine" \
  --git-token "$GIT_HOST=deploy:forge" --env GIT_CONFIG_COUNT=1 --env GIT_CONFIG_KEY_0=test.key --env GIT_CONFIG_VALUE_0=mine
has "$GIT_LOG" " deploy"
# A git before 2.31 does not know GIT_CONFIG_COUNT.
builds 0 "unset GIT_CONFIG_COUNT && git clone -q https://$GIT_HOST/app.git /srv/app" "${token[@]}"

# Not over HTTP, and not for another host (by another name); a password is never asked for.
: >"$GIT_LOG"
builds 4 "git clone -q http://$GIT_PLAIN/app.git /srv/app" "${token[@]}"
hasnt "$GIT_LOG" x-access-token
builds 4 "git -c http.sslVerify=false clone -q https://localhost:${GIT_HOST#*:}/app.git /srv/app" "${token[@]}"
hasnt "$GIT_LOG" x-access-token
builds 4 "git clone -q https://$GIT_HOST/app.git /srv/app" # nothing granted

# What a careless script does with it does not ship.
tag=2
builds 1 "git clone -q https://x-access-token:\$(cat \$BUILD_SECRETS/forge)@$GIT_HOST/app.git /srv/app" "${token[@]}"
has "$t/err" "secret forge"
builds 1 "git clone -q https://$GIT_HOST/app.git /srv/app
printf '[http]\n\textraheader = Authorization: Basic %s\n' \"\$(printf x-access-token:%s \"\$(cat \$BUILD_SECRETS/forge)\" | base64 -w0)\" >>/srv/app/.git/config" "${token[@]}"
no_image "e2e/$name:2"
nothing_left

# In a Dockerfile the same settings are a secret.
printf 'FROM imgbuild-test/debian:1\nENV MARK=%s\nRUN --mount=type=secret,id=gitconfig --mount=type=secret,id=forge --mount=type=secret,id=ca_certs \\\n  GIT_CONFIG_GLOBAL=/run/secrets/gitconfig GIT_SSL_CAINFO=/run/secrets/ca_certs git clone -q --recurse-submodules https://%s/app.git /srv/app\n' \
  "$RANDOM$$" "$GIT_HOST" >"$t/app/Dockerfile"
ran 0 "$IMGBUILD" build "$t/app" -t "e2e/$name:3" --network host --secret id=forge,env=FORGE_TOKEN --ca-cert "$t/forge/ca.crt" "${token[@]}"
hasnt "$t/err" "asks for the secret"
docker run --rm --network none "e2e/$name:3" test -s /srv/app/lib/main.c
nothing_left
