# --git-token: what makes no sense is refused, and no message repeats the token.
. "$(dirname "$0")/_common.sh"
mkdir app
printf 'true\n' >build.sh
value=$(head -c 18 /dev/urandom | od -An -tx1 | tr -d ' \n')
printf '%s\n' "$value" >good
printf '%s and more\n' "$value" >blank
printf '%s\r\n' "$value" >dos
build=("$IMGBUILD" build app --from base:1 --run build.sh -t app:1 --dry-run --secret id=tok,src=good)
wrong() {
  local word=$1
  shift
  expect 2 "${build[@]}" "$@"
  one_line "$word"
  hasnt "$t/err" "$value"
}
wrong 'must be HOST=SECRET-ID' --git-token github.com
wrong 'must be HOST=SECRET-ID' --git-token https://github.com=tok
wrong 'must be HOST=SECRET-ID' --git-token github.com/me=tok
wrong 'no secret is called other' --git-token github.com=other
has "$t/err" '--secret id=other,env=VARIABLE'
wrong "no user's name" --git-token 'github.com=a b:tok'
wrong 'given twice' --git-token github.com=tok --git-token GitHub.com=tok
wrong 'is no token' --secret id=blank,src=blank --git-token github.com=blank
wrong 'is no token' --secret id=dos,src=dos --git-token github.com=dos
expect 0 "${build[@]}" --git-token github.com=tok --git-token git.example.org:8443=me:tok
has "$t/out" 'git.example.org:8443 as me'
has "$t/out" 'github.com as x-access-token'
expect 0 "${build[@]}" --git-token gitlab.com=tok --git-token bitbucket.org=tok
has "$t/out" 'gitlab.com as oauth2'
has "$t/out" 'bitbucket.org as x-token-auth'
CI_JOB_TOKEN=$value expect 0 "${build[@]}" --secret id=job,env=CI_JOB_TOKEN --git-token git.example.org=job
has "$t/out" 'git.example.org as gitlab-ci-token'
hasnt "$t/out" "$value"

# What else the builder has around it.
wrong 'like 512m or 2g' --memory lots
wrong 'like 512m or 2g' --memory 0
wrong 'like 2 or 1.5' --cpus none
wrong 'must be HOST:ADDRESS' --add-host db
wrong 'must be of letters' --cache ../x
wrong 'no certificate' --ca-cert good
wrong 'none' --ca-cert none
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=a 2>/dev/null
cat ca.crt ca.key >both
wrong 'a private key is in it' --ca-cert both
expect 0 "${build[@]}" --memory 512m --cpus 1.5 --add-host db:10.0.0.1 --cache npm --ca-cert ca.crt
printf 'FROM base:1\n' >app/Dockerfile
expect 2 "$IMGBUILD" build app -f app/Dockerfile -t app:1 --dry-run --cache npm
one_line 'RUN --mount=type=cache'
expect 2 "$IMGBUILD" build app -f app/Dockerfile -t app:1 --dry-run --memory 1g
one_line 'limits of its own'
http_proxy="http://me:$value@proxy.example:3128" expect 2 "$IMGBUILD" build app -f app/Dockerfile -t app:1 --dry-run --proxy
one_line 'holds a login'
hasnt "$t/err" "$value"
