# --config-file: what makes no sense is refused, a context lends only its own files, and no message repeats a content.
. "$(dirname "$0")/_common.sh"
mkdir -p app/ci
printf 'true\n' >build.sh
token=$(make_token)
printf '//registry.npmjs.org/:_authToken=%s\n' "$token" >npmrc
build=("$IMGBUILD" build app --from base:1 --run build.sh -t app:1 --dry-run)
wrong() { # WORD FLAG...
  local word=$1
  shift
  expect 2 "${build[@]}" "$@"
  one_line "$word"
  hasnt "$t/err" "$token"
}
for said in npmrc :/etc/npmrc npmrc: ''; do wrong 'must be SRC:DEST' --config-file "$said"; done
wrong 'No such file' --config-file none:/etc/npmrc
wrong 'is a directory' --config-file app:/etc/npmrc
wrong "is a folder's name" --config-file npmrc:/etc/
has "$t/err" '/etc/npmrc'
wrong "is a folder's name" --config-file npmrc:/
wrong "is a folder's name" --config-file npmrc:.
wrong 'has `..` in it' --config-file npmrc:/etc/../root/.npmrc
wrong 'has `..` in it' --config-file npmrc:../.npmrc
for place in /dev/x /proc/self/x /sys/x //dev/./x; do wrong 'is in no image' --config-file "npmrc:$place"; done
wrong 'two files for /etc/npmrc' --config-file npmrc:/etc/npmrc --config-file npmrc:/etc//./npmrc
wrong 'a name of 5001 bytes' --config-file "npmrc:/$(printf '%05000d' 0)"
head -c 1100000 /dev/zero >large
wrong 'larger than 1 MiB' --config-file large:/etc/npmrc
expect 0 "${build[@]}" --config-file npmrc:/root/.npmrc --config-file npmrc:.npmrc
has "$t/out" 'with /root/.npmrc, .npmrc lent'
expect 0 env IMGBUILD_CONFIG_FILES=npmrc:/etc/npmrc "${build[@]}"
has "$t/out" 'with /etc/npmrc lent'

# In a Dockerfile a secret does it.
printf 'FROM base:1\n' >app/Dockerfile
expect 2 "$IMGBUILD" build app -f app/Dockerfile -t app:1 --dry-run --config-file npmrc:/root/.npmrc
one_line '--config-file is for a build by script, not for a Dockerfile'
has "$t/err" '--secret id=ID,src=SRC and RUN --mount=type=secret,id=ID,target=DEST'
rm app/Dockerfile

# A context lends what is in it, where no rule knows a credential; your own file nothing, for it counts for every build.
printf 'index = https://mirror.example\n' >app/ci/tool.conf
toml() { printf 'config_files = ["%s"]\n' "$1" >app/imgbuild.toml; }
toml ci/tool.conf:/etc/tool.conf
expect 0 "${build[@]}"
has "$t/out" 'with /etc/tool.conf lent'
expect 0 "$IMGBUILD" config app
has "$t/out" 'config_files = ["ci/tool.conf:/etc/tool.conf"]'
ln -s ../npmrc app/link
for source in ../npmrc "$PWD/npmrc" link; do
  toml "$source:/etc/npmrc"
  wrong 'is not in the context'
done
rm app/link
rm app/imgbuild.toml
printf 'config_files = ["npmrc:/etc/npmrc"]\n' >"$XDG_CONFIG_HOME/imgbuild/config.toml"
wrong 'may not stand in the user'"'"'s file'
