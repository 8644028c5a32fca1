# imgbuild.toml holds several builds: what stands outside counts for all, what stands in [build.NAME] wins over it.
. "$(dirname "$0")/_common.sh"
mkdir app
printf 'true\n' >app/build.sh
printf 'FROM base:1\n' >app/Dockerfile.tools
cat >app/imgbuild.toml <<'TOML'
from = "shared:1"
image_labels = ["a=b"]
[build.app]
run = "build.sh"
tags = ["app:1"]
[build.lean]
from = "lean:1"
run = "build.sh"
tags = ["lean:1"]
fail_on = "low"
[build.tools]
dockerfile = "Dockerfile.tools"
tags = ["tools:1"]
TOML
build=("$IMGBUILD" build app --dry-run)
expect 0 "${build[@]}" --build app
has "$t/out" shared:1
has "$t/out" app:1
hasnt "$t/out" lean:1
expect 0 "${build[@]}" --build lean
has "$t/out" lean:1
hasnt "$t/out" shared:1
# The named build says how it is built: a Dockerfile takes the place of the shared base.
expect 0 "${build[@]}" --build tools
has "$t/out" Dockerfile.tools
expect 0 env IMGBUILD_BUILD=lean "${build[@]}"
has "$t/out" lean:1
expect 0 "${build[@]}" --build app --from flag:1
has "$t/out" flag:1
expect 0 "$IMGBUILD" stage app --build app
expect 0 "$IMGBUILD" config app --build lean
grep -qx 'from = "lean:1" *# imgbuild.toml:7' "$t/out" || fail "config does not know the build"
has "$t/out" '# build tools'

# None is chosen, or one that is not there.
expect 2 "${build[@]}"
has "$t/err" '--build app, --build lean, --build tools'
expect 2 "${build[@]}" --build leen
one_line 'no build is called `leen`'
has "$t/err" 'did you mean `lean`?'

# Each build is held to the same rules, chosen or not.
refused() {
  printf '[build.app]\n%s\n' "$1" >app/imgbuild.toml
  expect 2 "${build[@]}" --build app --from base:1 -t x:1 -- true
  one_line "$2"
}
refused 'engine = "podman"' 'imgbuild.toml:2: `engine` may not stand in a context'
refused 'fail_on = "critical"' 'imgbuild.toml:2: fail_on is looser than yours'
refused 'tagz = ["x:1"]' 'imgbuild.toml:2: unknown key `tagz`'
refused 'allow = []' 'imgbuild.toml:2: `allow` may not stand in [build.NAME]'
refused 'build = {}' 'imgbuild.toml:2: `build` may not stand in [build.NAME]'
printf 'build = ["app"]\n' >app/imgbuild.toml
expect 2 "${build[@]}"
one_line 'imgbuild.toml:1: `build` must be written [build.NAME]'
printf '[build.app]\nfrom = "a:1"\ndockerfile = "Dockerfile.tools"\ntags = ["app:1"]\n' >app/imgbuild.toml
expect 2 "${build[@]}" --build app
one_line 'both `dockerfile` and `from`'
# What is built is one layer's word: a Dockerfile of the context is not mixed with a base of the user's file.
printf 'from = "of-user:1"\nrun = "mine.sh"\n' >"$XDG_CONFIG_HOME/imgbuild/config.toml"
printf 'dockerfile = "Dockerfile.tools"\ntags = ["tools:1"]\n' >app/imgbuild.toml
expect 0 "${build[@]}"
has "$t/out" Dockerfile.tools
hasnt "$t/out" of-user:1
# A user's builds are theirs to choose too.
printf '[build.mine]\nfrom = "mine:1"\nengine = "podman"\n' >"$XDG_CONFIG_HOME/imgbuild/config.toml"
printf 'run = "build.sh"\ntags = ["app:1"]\n' >app/imgbuild.toml
expect 0 "${build[@]}" --build mine
has "$t/out" mine:1
