# Flags win over IMGBUILD_* variables, they over imgbuild.toml, that over the user's file.
. "$(dirname "$0")/_common.sh"
mkdir app
printf 'true\n' >app/build.sh
printf 'run = "build.sh"\ntags = ["app:1"]\n' >app/imgbuild.toml
printf 'from = "of-user:1"\n' >"$XDG_CONFIG_HOME/imgbuild/config.toml"
build=("$IMGBUILD" build app --dry-run)
expect 0 "${build[@]}"
has "$t/out" of-user:1
printf 'from = "of-context:1"\n' >>app/imgbuild.toml
expect 0 "${build[@]}"
has "$t/out" of-context:1
expect 0 env IMGBUILD_FROM=of-variable:1 "${build[@]}"
has "$t/out" of-variable:1
expect 0 env IMGBUILD_FROM=of-variable:1 "${build[@]}" --from of-flag:1
has "$t/out" of-flag:1
expect 2 env IMGBUILD_PULL=maybe "${build[@]}"
one_line IMGBUILD_PULL
