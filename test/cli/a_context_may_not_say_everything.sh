# A context is a stranger's checkout: what it may not set is an error that says where it may stand, never silence.
. "$(dirname "$0")/_common.sh"
mkdir app
printf 'true\n' >app/build.sh
base=$'from = "base:1"\nrun = "build.sh"\ntags = ["app:1"]\n'
# refused KEY LINE...: the line in the context's file is refused, with its place and where it may stand.
refused() {
  local key=$1
  shift
  printf '%s%s\n' "$base" "$*" >app/imgbuild.toml
  expect 2 "$IMGBUILD" build app --dry-run
  one_line "imgbuild.toml:4: \`$key\` may not stand in a context's file"
  has "$t/err" 'it may stand in:'
  expect 2 "$IMGBUILD" stage app
}
refused engine 'engine = "tcp://127.0.0.1:1"'
refused network 'network = "host"'
refused ssh 'ssh = ["git@github.com"]'
refused ssh_keys 'ssh_keys = ["SHA256:x"]'
refused ssh_key_files 'ssh_key_files = ["/root/.ssh/id_rsa"]'
refused known_hosts 'known_hosts = ["github.com SHA256:x"]'
refused secrets 'secrets = {npm = {src = "/root/.npmrc"}}'
refused rules 'rules = ["none.toml"]'
refused no_repo_allow 'no_repo_allow = false'

printf '%sfail_on = "critical"\n' "$base" >app/imgbuild.toml
expect 2 "$IMGBUILD" build app --dry-run
one_line 'imgbuild.toml:4: fail_on is looser than yours (medium)'
expect 0 "$IMGBUILD" build app --dry-run --fail-on critical
printf '%sfail_on = "low"\n' "$base" >app/imgbuild.toml
expect 0 "$IMGBUILD" build app --dry-run

# It may ask; the answer is the user's.
printf '%sask_secrets = ["npm"]\n' "$base" >app/imgbuild.toml
expect 2 "$IMGBUILD" build app --dry-run
one_line 'imgbuild.toml:4: the context asks for the secret npm, which is not given'
head -c 18 /dev/urandom | od -An -tx1 | tr -d ' \n' >token
expect 0 "$IMGBUILD" build app --dry-run --secret id=npm,src=token
printf '[secrets]\nnpm = {src = "%s"}\n' "$PWD/token" >"$XDG_CONFIG_HOME/imgbuild/config.toml"
expect 2 "$IMGBUILD" build app --dry-run
expect 0 "$IMGBUILD" build app --dry-run --secret id=npm
printf '%sask_ssh = ["git@github.com"]\n' "$base" >app/imgbuild.toml
expect 2 "$IMGBUILD" build app --dry-run
one_line 'asks to log in at git@github.com, which is not granted'
expect 0 "$IMGBUILD" build app --dry-run --ssh git@github.com

# Its script lies in it, links resolved.
printf 'true\n' >outside.sh
ln -s ../outside.sh app/link.sh
for run in ../outside.sh "$PWD/outside.sh" link.sh; do
  printf 'from = "base:1"\ntags = ["app:1"]\nrun = "%s"\n' "$run" >app/imgbuild.toml
  expect 2 "$IMGBUILD" build app --dry-run
  one_line 'is not in the context'
done
rm app/imgbuild.toml
ln -s ../token app/imgbuild.toml
expect 2 "$IMGBUILD" build app --dry-run
one_line 'is a symbolic link'
