# --secret: what is missing, too large, given twice or too weak is refused; no message repeats a value.
. "$(dirname "$0")/_common.sh"
mkdir app
printf 'true\n' >build.sh
value=$(head -c 18 /dev/urandom | od -An -tx1 | tr -d ' \n')
printf '%s\n' "$value" >good
printf 'short\n' >weak
: >empty
head -c 1048577 /dev/zero | tr '\0' x >large
build=("$IMGBUILD" build app --from base:1 --run build.sh -t app:1 --dry-run)
wrong() {
  local word=$1
  shift
  expect 2 "${build[@]}" "$@"
  one_line "$word"
  hasnt "$t/err" "$value"
}
wrong 'must be id=ID' --secret "$value"
wrong 'must be id=ID' --secret "id=../x,src=good"
wrong 'must be id=ID' --secret 'id=,src=good'
wrong 'has both' --secret 'id=a,src=good,env=HOME'
wrong 'given twice' --secret id=a,src=good --secret id=a,src=good
wrong 'neither src nor env' --secret id=a
wrong 'none' --secret id=a,src=none
wrong 'is a directory' --secret id=a,src=app
wrong 'is not set' --secret id=a,env=IS_NOT_SET
wrong 'is empty' --secret id=a,src=empty
wrong 'larger than 1 MiB' --secret id=a,src=large
wrong 'too short or too common' --secret id=a,src=weak
has "$t/err" '--weak-secret a'
wrong 'no secret is called b' --secret id=a,src=good --weak-secret b
expect 0 "${build[@]}" --secret id=a,src=weak --weak-secret a
expect 0 "${build[@]}" --secret id=a,src=good
hasnt "$t/out" "$value"
expect 0 env TOKEN="$value" "${build[@]}" --secret id=a,env=TOKEN
hasnt "$t/out" "$value"
expect 0 "${build[@]}" --secret id=a,src=<(printf '%s' "$value")
# The user's file may say where a secret is; the flag hands it out.
cp good "$XDG_CONFIG_HOME/imgbuild/npm.token"
printf '[secrets]\nnpm = {src = "npm.token"}\n' >"$XDG_CONFIG_HOME/imgbuild/config.toml"
expect 0 "${build[@]}" --secret id=npm
