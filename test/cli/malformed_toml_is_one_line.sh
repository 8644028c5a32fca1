# A settings file that cannot be read is exit 2 and one line with its place.
. "$(dirname "$0")/_common.sh"
mkdir app
printf 'true\n' >app/build.sh
printf 'from = "a"\n\nrun = = "b"\n' >app/imgbuild.toml
expect 2 "$IMGBUILD" build app --dry-run -t app:1
one_line 'imgbuild.toml:3: malformed TOML'
expect 2 "$IMGBUILD" stage app
one_line 'imgbuild.toml:3: malformed TOML'
printf 'from = "a\n' >app/imgbuild.toml
expect 2 "$IMGBUILD" stage app
one_line 'imgbuild.toml:1: '
printf 'form = "a"\n' >app/imgbuild.toml
expect 2 "$IMGBUILD" stage app
one_line 'imgbuild.toml:1: unknown key `form`'
has "$t/err" 'did you mean `from`?'
rm app/imgbuild.toml
printf 'engine = 3 3\n' >"$XDG_CONFIG_HOME/imgbuild/config.toml"
expect 2 "$IMGBUILD" stage app
one_line 'config.toml:1: malformed TOML'
printf '[[allow]]\nrule = "a.b"\n' >own.toml
expect 2 "$IMGBUILD" audit --config own.toml archive:nothing
one_line 'own.toml:1: allow-entry: without a reason'
