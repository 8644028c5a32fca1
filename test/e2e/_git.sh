# A forge on loopback: private repositories over HTTPS, with a certificate of an authority that nobody knows, and HTTP.
# Read by e2e scripts, behind _common.sh.

# git_up DIR: starts it; sets GIT_HOST (127.0.0.1:PORT, HTTPS), GIT_PLAIN (HTTP), GIT_TOKEN, GIT_LOG; the authority's
# certificate is DIR/ca.crt. It lets in the users x-access-token and deploy, with the token.
git_up() {
  GIT_DIR_HERE=$1
  mkdir -p "$1/repositories"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1/ca.key" -out "$1/ca.crt" -days 2 -subj /CN=authority 2>/dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1/server.key" -out "$1/server.csr" -subj /CN=forge 2>/dev/null
  openssl x509 -req -in "$1/server.csr" -CA "$1/ca.crt" -CAkey "$1/ca.key" -CAcreateserial -days 2 -out "$1/server.crt" \
    -extfile <(printf 'subjectAltName=IP:127.0.0.1') 2>/dev/null
  GIT_TOKEN=$(head -c 20 /dev/urandom | od -An -tx1 | tr -d ' \n')
  printf 'x-access-token:%s\ndeploy:%s\n' "$GIT_TOKEN" "$GIT_TOKEN" >"$1/repositories/logins"
  GIT_LOG=$1/log
  : >"$GIT_LOG"
  python3 "$SOURCE/test/e2e/_git_server.py" "$1/repositories" "$1/server.crt" "$1/server.key" "$GIT_LOG" >"$1/ports" 2>"$1/server.log" &
  local secure plain
  started $! test -s "$1/ports" || { cat "$1/server.log" >&2; return 1; }
  read -r secure plain <"$1/ports"
  GIT_HOST=127.0.0.1:$secure
  GIT_PLAIN=127.0.0.1:$plain
}

# git_repository NAME [SUBMODULE-URL]: a bare repository with one commit.
git_repository() {
  local work
  work=$(mktemp -d)
  git init -q --bare -b main "$GIT_DIR_HERE/repositories/$1.git"
  git init -q -b main "$work"
  printf 'int main(void) { return 42; } /* the private part of %s */\n' "$1" >"$work/main.c"
  git -C "$work" add .
  if [ -n "${2:-}" ]; then
    printf '[submodule "lib"]\n\tpath = lib\n\turl = %s\n' "$2" >"$work/.gitmodules"
    git -C "$work" add .gitmodules
    git -C "$work" update-index --add --cacheinfo "160000,$(git -C "$GIT_DIR_HERE/repositories/$3.git" rev-parse main),lib"
  fi
  git -C "$work" -c user.name=dev -c user.email=dev@example.org commit -q -m 'private code'
  git -C "$work" push -q "$GIT_DIR_HERE/repositories/$1.git" main
  rm -rf "$work"
}
