# A bare word is an image's name; where a file of that name lies, both spellings are told. Unknown kinds say what is known.
. "$(dirname "$0")/_common.sh"
export DOCKER_HOST=unix://$t/no-engine.sock
mkdir app
expect 2 "$IMGBUILD" audit app
one_line 'docker:app or dir:app'
echo x >file
expect 2 "$IMGBUILD" audit file
one_line 'docker:file or archive:file'
expect 3 "$IMGBUILD" audit docker:app
one_line no-engine.sock
expect 3 "$IMGBUILD" audit other
one_line no-engine.sock
for target in oci: registry: dir: podman: docker:; do
  expect 2 "$IMGBUILD" audit "$target"
  one_line "$target"
  has "$t/err" 'names nothing'
done
expect 2 "$IMGBUILD" audit archive:
one_line 'names nothing'
expect 2 "$IMGBUILD" audit - -
one_line 'once only'
expect 2 "$IMGBUILD" audit --format xml x
one_line '--format'
expect 2 "$IMGBUILD" audit --fail-on nothing x
one_line '--fail-on'
