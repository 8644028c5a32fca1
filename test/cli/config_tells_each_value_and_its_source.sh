# imgbuild config: what a build with the same words would go by, and who says so; of a secret only where it lies.
. "$(dirname "$0")/_common.sh"
mkdir app
cat >app/imgbuild.toml <<'TOML'
from = "of-context:1"
run = "build.sh"
tags = ["app:1"]
with_git = true
TOML
head -c 18 /dev/urandom | od -An -tx1 | tr -d ' \n' >token
printf 'from = "of-user:1"\nengine = "tcp://127.0.0.1:1"\n[secrets]\nnpm = {src = "%s"}\n' "$PWD/token" >"$XDG_CONFIG_HOME/imgbuild/config.toml"
config=("$IMGBUILD" config app)
expect 0 env IMGBUILD_NETWORK=host "${config[@]}" --memory 2g --label a=b --label c=d
grep -qx 'from = "of-context:1" *# imgbuild.toml:1' "$t/out" || fail "from"
grep -qx 'with_git = true *# imgbuild.toml:4' "$t/out" || fail "with_git"
grep -qx 'network = "host" *# $IMGBUILD_NETWORK' "$t/out" || fail "network"
grep -qx 'memory = "2g" *# --memory' "$t/out" || fail "memory"
grep -qx 'image_labels = \["a=b", "c=d"\] *# --label' "$t/out" || fail "labels"
grep -qx "engine = \"tcp://127.0.0.1:1\" *# $XDG_CONFIG_HOME/imgbuild/config.toml:2" "$t/out" || fail "engine"
grep -qx 'fail_on = "medium" *# default' "$t/out" || fail "fail_on"
grep -qx "# secret npm: $PWD/token *# $XDG_CONFIG_HOME/imgbuild/config.toml:4" "$t/out" || fail "secret"
hasnt "$t/out" "$(cat token)"
python3 -c 'import sys, tomllib; tomllib.load(open(sys.argv[1], "rb"))' "$t/out" || fail "the text is no TOML"

expect 0 env IMGBUILD_FROM=of-variable:1 "${config[@]}" --format json --pull
says() { is "$1" "$2" "$(jq -c --arg key "$1" '.settings[] | select(.key == $key) | [.value, .from, .where]' "$t/out")"; }
is schema imgbuild.config/1 "$(jq -r .schema "$t/out")"
says from '["of-variable:1","variable","$IMGBUILD_FROM"]'
says run '["build.sh","context","imgbuild.toml:2"]'
says pull '[true,"flag","--pull"]'
says keep '[false,"default",""]'
says platform '[null,"default",""]'
is secret "$PWD/token" "$(jq -r '.secrets[0].src' "$t/out")"

# A credential that stands where none belongs is not repeated.
npm=$(make_token)
printf 'env = ["NPM_TOKEN=%s"]\n' "$npm" >>app/imgbuild.toml
expect 0 "${config[@]}"
hasnt "$t/out" "$npm"
has "$t/out" 'env = ["NPM_TOKEN='
expect 0 "${config[@]}" --format json
hasnt "$t/out" "$npm"

printf 'form = "x"\n' >app/imgbuild.toml
expect 2 "${config[@]}"
one_line 'imgbuild.toml:1: unknown key `form`'
has "$t/err" 'did you mean `from`?'
expect 2 "$IMGBUILD" config --format yaml
one_line --format
