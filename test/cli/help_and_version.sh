# Help goes to standard output and tells examples and exit codes; no command at all is exit 2.
. "$(dirname "$0")/_common.sh"
expect 0 "$IMGBUILD" --version
grep -qE '^imgbuild [0-9]+\.[0-9]+\.[0-9]+$' "$t/out" || fail "no version: $(cat "$t/out")"
expect 0 "$IMGBUILD" --help
for word in build stage audit push agent config doctor rules gc 'Exit status' Examples; do has "$t/out" "$word"; done
for command in build stage audit push agent config doctor rules gc; do
  expect 0 "$IMGBUILD" "$command" --help
  is "$command --help on standard error" "" "$(cat "$t/err")"
done
expect 0 "$IMGBUILD" build --help
for flag in --from --run --tag --ssh --ssh-key --ssh-key-file --known-host --secret --env --user --workdir --network --platform \
  --pull --timeout --fail-on --cmd --entrypoint --label --expose --image-env --image-user --image-workdir --keep --dry-run \
  --iidfile --push --build-arg --target --cache-from --cache-to --progress --output --load --report --include --ref --with-git --ignore-volume --engine --rules --no-repo-allow; do
  has "$t/out" "$flag"
done
expect 2 "$IMGBUILD"
has "$t/err" Examples
is "standard output" "" "$(cat "$t/out")"
