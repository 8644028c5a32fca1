# imgbuild config --schema: what editors check imgbuild.toml against is what imgbuild takes.
. "$(dirname "$0")/_common.sh"
python3 -c 'import jsonschema, tomllib' 2>/dev/null || { echo 'cannot be tested here: no python3-jsonschema'; exit 77; }
expect 0 "$IMGBUILD" config --schema
cp "$t/out" context.json
expect 0 "$IMGBUILD" config --schema user
cp "$t/out" user.json
expect 2 "$IMGBUILD" config --schema editor
one_line --schema
expect 0 "$IMGBUILD" config --format json
jq -r '.settings[].key' "$t/out" | sort >keys
jq -r '.properties | keys[]' context.json user.json | sort -u >known
# What no file may say is granted build by build.
is "not in a file" 'build git_tokens ssh ssh_allow_sshsig ssh_allow_unbound weak_secrets' \
  "$(comm -23 keys <(grep -vx build known) | tr '\n' ' ' | sed 's/ $//')"
is "no key" 'allow build secrets' "$(comm -13 <(grep -vx build keys) known | tr '\n' ' ' | sed 's/ $//')"
jq -e '[.properties[] | has("description")] | all' context.json user.json >/dev/null || fail "a key without a description"

# Each flag that says something of a build, stage, audit or push has a key; the rest are asked for anew each time.
jq -r '.settings[].flag' "$t/out" >flags
for command in build stage audit push; do
  "$IMGBUILD" "$command" --help | grep -oE '^ +(-[a-z],|-[a-z], )?--[a-z-]+' | grep -oE -- '--[a-z-]+'
done | sort -u >offered
printf '%s\n' --help --dry-run --secret --config --format --load --quiet --all --all-platforms --write-baseline --base |
  cat - flags | sort -u >accounted
is "flags without a key" '' "$(comm -23 offered accounted | tr '\n' ' ')"

cat >check.py <<'PYTHON'
import json, sys, tomllib
import jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft7Validator.check_schema(schema)
jsonschema.validate(tomllib.loads(sys.stdin.read()), schema, cls=jsonschema.Draft7Validator)
PYTHON
# agree FILE TOML: the schema and imgbuild take it; disagree: neither does.
mkdir app
takes() {
  if [ "$1" = context ]; then
    printf '%s\n' "$2" >app/imgbuild.toml
    "$IMGBUILD" config app >/dev/null 2>&1
  else
    printf '%s\n' "$2" >own.toml
    rm -f app/imgbuild.toml
    "$IMGBUILD" config app --config own.toml >/dev/null 2>&1
  fi
}
agree() {
  python3 check.py "$1.json" <<<"$2" >/dev/null 2>"$t/err" || { tail -5 "$t/err" >&2; fail "the schema refuses: $2"; }
  takes "$1" "$2" || fail "imgbuild refuses: $2"
}
disagree() {
  ! python3 check.py "$1.json" <<<"$2" >/dev/null 2>&1 || fail "the schema takes: $2"
  ! takes "$1" "$2" || fail "imgbuild takes: $2"
}
agree context $'from = "a:1"\ncommand = ["make"]\nimage_cmd = "run me"\nwith_git = true\nfail_on = "low"\nask_ssh = ["git@github.com"]'
agree context $'[build.app]\nrun = "x.sh"\nartifacts = ["/app"]\n[build.lean]\nonto = "a:1"'
agree context $'[[allow]]\nrule = "a.b"\nat = "*:x"\nidentity = "SHA256:x"\nreason = "a test key"\nexpires = 2027-01-01'
agree user $'memory = "2g"\nthreads = 2\nlogs = ["syslog"]\n[secrets]\nnpm = {src = "/x"}\ngh = {env = "GH"}'
disagree context 'form = "a:1"'
disagree context 'with_git = "yes"'
disagree context 'tags = "app:1"'
disagree context 'engine = "podman"'
disagree context 'fail_on = "none"'
disagree context $'[build.app]\nlogs = ["syslog"]'
disagree context $'[secrets]\nnpm = {src = "/x"}'
disagree context $'[[allow]]\nrule = "a.b"\nat = "*:x"\nidentity = "SHA256:x"'
disagree user 'ssh = ["git@github.com"]'
disagree user $'[secrets]\nnpm = {src = "/x", env = "X"}'
