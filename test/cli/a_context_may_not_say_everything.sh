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
refused ssh_allow_unbound 'ssh_allow_unbound = true'
refused ssh_allow_sshsig 'ssh_allow_sshsig = true'
refused weak_secrets 'weak_secrets = ["npm"]'
refused no_cache 'no_cache = false'
refused keep 'keep = true'
refused purge 'purge = true'
refused progress 'progress = "quiet"'
refused iidfile 'iidfile = "/tmp/id"'
refused reports 'reports = ["json=/tmp/report"]'
refused baseline 'baseline = "known.json"'
refused logs 'logs = ["/tmp/logs"]'
refused log_keep 'log_keep = "1"'
refused log_size 'log_size = "1kB"'

printf '%sfail_on = "critical"\n' "$base" >app/imgbuild.toml
expect 2 "$IMGBUILD" build app --dry-run
one_line 'imgbuild.toml:4: fail_on is looser than yours (medium)'
expect 0 "$IMGBUILD" build app --dry-run --fail-on critical
printf '%sfail_on = "low"\n' "$base" >app/imgbuild.toml
expect 0 "$IMGBUILD" build app --dry-run

# A limit of yours is not lifted; one of its own may be lower.
printf 'max_size = "100MB"\n' >"$XDG_CONFIG_HOME/imgbuild/config.toml"
printf '%smax_size = "1GB"\n' "$base" >app/imgbuild.toml
expect 2 "$IMGBUILD" build app --dry-run
one_line 'imgbuild.toml:4: max_size is looser than yours (100MB)'
expect 0 "$IMGBUILD" build app --dry-run --max-size 1GB
printf '%smax_size = "10MB"\n' "$base" >app/imgbuild.toml
expect 0 "$IMGBUILD" build app --dry-run
rm "$XDG_CONFIG_HOME/imgbuild/config.toml"

# A build-arg's value is in the file, not in the environment of whoever builds.
printf 'FROM base:1 AS run\n' >app/Dockerfile
printf 'dockerfile = "Dockerfile"\ntags = ["app:1"]\nbuild_args = ["HOME"]\n' >app/imgbuild.toml
expect 2 "$IMGBUILD" build app --dry-run
one_line 'imgbuild.toml:3: `build_args`: `HOME` has no value'
printf 'dockerfile = "Dockerfile"\ntags = ["app:1"]\nbuild_args = ["MODE=prod"]\ntarget = "run"\n' >app/imgbuild.toml
expect 0 "$IMGBUILD" build app --dry-run
printf 'FROM base:1\n' >outside.Dockerfile
ln -s ../outside.Dockerfile app/linked
for file in ../outside.Dockerfile "$PWD/outside.Dockerfile" linked; do
  printf 'dockerfile = "%s"\ntags = ["app:1"]\n' "$file" >app/imgbuild.toml
  expect 2 "$IMGBUILD" build app --dry-run
  one_line 'is not in the context'
done
rm app/Dockerfile app/linked

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
