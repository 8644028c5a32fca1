# oci: takes a folder, a tar or a compressed tar, all images or one by name or digest; of an index this machine's
# platform, and every attestation.
. "$(dirname "$0")/_common.sh"
. "$SOURCE/test/cli/_layout.sh"
case $(uname -m) in x86_64) here=amd64 there=arm64 ;; aarch64) here=arm64 there=amd64 ;; *) exit 77 ;; esac
mkdir clean leaky
echo nothing >clean/a
make_key leaky/id
layer clean.tar clean
layer leaky.tar leaky
token=$(make_token)

good=$(PACK='gzip -c' oci_image app clean.tar)
bad=$(PACK='zstd -qc' oci_image app clean.tar leaky.tar)
oci_index app "$(descriptor app "$good" $manifest_type "$(ref good)")" "$(descriptor app "$bad" $manifest_type "$(ref 'x.example/team/bad:1')")"
printf '[]' >app/manifest.json
expect 0 "$IMGBUILD" audit oci:app:good
expect 0 "$IMGBUILD" audit "oci:app@$good"
expect 1 "$IMGBUILD" audit oci:app:x.example/team/bad:1 --format json
is 'images' 1 "$(jq '.images | length' "$t/out")"
is 'the place' '1:id' "$(jq -r '.images[0].leaks[0].locations[0] | "\(.layer):\(.path)"' "$t/out")"
expect 1 "$IMGBUILD" audit oci:app --format json
is 'images without a name' 2 "$(jq '.images | length' "$t/out")"
is 'layers' 3 "$(jq '[.images[].layers[]] | length' "$t/out")"
expect 3 "$IMGBUILD" audit oci:app:missing
one_line 'no image is called missing'
has "$t/err" 'x.example/team/bad:1'
expect 3 "$IMGBUILD" audit "oci:app@sha256:$(printf '%064d' 0)"
one_line 'is missing'
expect 2 "$IMGBUILD" audit oci:app@sha256:12
expect 3 "$IMGBUILD" audit oci:nothing-there
expect 3 "$IMGBUILD" audit oci:clean
one_line 'no index.json'

# A tar of it, in whatever order, compressed or not, is the same.
tar -C app -cf app.tar index.json oci-layout blobs
tar -C app -cf reverse.tar blobs oci-layout index.json
gzip -k app.tar
xz -k reverse.tar
zstd -q reverse.tar
for file in app.tar reverse.tar app.tar.gz reverse.tar.xz reverse.tar.zst; do
  expect 0 "$IMGBUILD" audit "oci:$file:good"
  expect 1 "$IMGBUILD" audit "oci:$file:x.example/team/bad:1"
  expect 1 "$IMGBUILD" audit "oci:$file" --format json
  is "images of $file" 2 "$(jq '.images | length' "$t/out")"
  expect 1 "$IMGBUILD" audit "archive:$file"
  expect 1 "$IMGBUILD" audit - <"$file"
done

# An index of platforms, and what describes one of them.
ours=$(ARCH=$here oci_image multi clean.tar)
other=$(ARCH=$there oci_image multi leaky.tar)
statement=$(json_blob multi "$(jq -nc --arg t "$token" '{predicate: {invocation: {parameters: {args: {"build-arg:NPM": $t}}}}}')")
empty=$(json_blob multi '{}')
attestation() {
  json_blob multi "$(jq -nc --argjson l "$(descriptor multi "$1" application/vnd.in-toto+json)" \
    --argjson c "$(descriptor multi "$empty" $oci.config.v1+json)" '{schemaVersion: 2, config: $c, layers: [$l]}')"
}
both=$(nested multi "$(descriptor multi "$other" $manifest_type "$(for_platform linux/$there)")" \
  "$(descriptor multi "$ours" $manifest_type "$(for_platform linux/$here)")")
oci_index multi "$(descriptor multi "$both" $index_type "$(ref 1)")"
expect 0 "$IMGBUILD" audit oci:multi:1 --format json
is 'the platform' "linux/$here" "$(jq -r '.images[].platform' "$t/out")"
is 'the other' "linux/$there" "$(jq -r '.images[].coverage.other_platforms[]' "$t/out")"
expect 0 "$IMGBUILD" audit oci:multi:1
has "$t/out" "the index has linux/$there as well: not looked at without --all-platforms"
expect 1 "$IMGBUILD" audit oci:multi:1 --platform "linux/$there"
expect 1 "$IMGBUILD" audit oci:multi:1 --all-platforms --format json
is 'all' 2 "$(jq '.images | length' "$t/out")"
is 'no other' 0 "$(jq '[.images[].coverage.other_platforms[]] | length' "$t/out")"
expect 3 "$IMGBUILD" audit oci:multi:1 --platform linux/s390x
one_line 'no image for linux/s390x'
has "$t/err" 'linux/amd64, linux/arm64'
expect 2 "$IMGBUILD" audit oci:multi:1 --platform linux/s390x --all-platforms
expect 2 "$IMGBUILD" audit oci:multi:1 --platform s390x
# Who says it: a flag, else a variable, else the user's file, or the one that is named instead. No context.
printf 'platform = "linux/%s"\n' "$there" >"$XDG_CONFIG_HOME/imgbuild/config.toml"
expect 1 "$IMGBUILD" audit oci:multi:1
expect 0 "$IMGBUILD" audit oci:multi:1 --platform "linux/$here"
expect 0 env "IMGBUILD_PLATFORM=linux/$here" "$IMGBUILD" audit oci:multi:1
expect 1 "$IMGBUILD" audit oci:multi:1 --all-platforms --format json
is 'all, whatever a file says' 2 "$(jq '.images | length' "$t/out")"
printf '\nplatform = "%s"\n' "$there" >odd.toml
expect 2 "$IMGBUILD" audit oci:multi:1 --config odd.toml
one_line 'odd.toml:2: platform: must be OS/ARCH'
mv "$XDG_CONFIG_HOME/imgbuild/config.toml" imgbuild.toml
expect 0 "$IMGBUILD" audit oci:multi:1
expect 1 "$IMGBUILD" audit oci:multi:1 --config imgbuild.toml
rm imgbuild.toml
oci_index multi "$(descriptor multi "$(nested multi "$(descriptor multi "$other" $manifest_type "$(for_platform linux/$there)")")" $index_type "$(ref 1)")"
expect 3 "$IMGBUILD" audit oci:multi:1
one_line "this machine's platform"

provenance=$(attestation "$statement")
both=$(nested multi "$(descriptor multi "$ours" $manifest_type "$(for_platform linux/$here)")" \
  "$(descriptor multi "$provenance" $manifest_type \
    "$(jq -nc --arg d "$ours" '{platform: {os: "unknown", architecture: "unknown"}, annotations: {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": $d}}')")")
oci_index multi "$(descriptor multi "$both" $index_type "$(ref 1)")"
expect 1 "$IMGBUILD" audit oci:multi:1 --format json
is 'the build argument' attestation "$(jq -r '.images[0].leaks[0].locations[0].kind' "$t/out")"
hasnt "$t/out" "$token"

# Annotations of an index, a descriptor and a manifest; an SBOM as an artifact.
for place in manifest descriptor index; do
  rm -rf noted
  annotations=$(jq -nc --arg t "$token" '{"org.example.note": $t}')
  image=$(ANNOTATIONS=$([ $place = manifest ] && echo "$annotations" || echo '{}') oci_image noted clean.tar)
  oci_index noted "$(descriptor noted "$image" $manifest_type "$([ $place = descriptor ] && jq -nc --argjson a "$annotations" '{annotations: $a}' || ref x)")"
  [ $place != index ] || { jq -c --argjson a "$annotations" '.annotations = $a' noted/index.json >x && mv x noted/index.json; }
  expect 1 "$IMGBUILD" audit oci:noted --format json
  is "$place" annotation "$(jq -r '.images[0].leaks[0].locations[0].kind' "$t/out")"
done
rm -rf chart
printf '%s' "$token" >values
tar -czf chart.tgz values
artifact=$(json_blob chart "$(jq -nc --argjson c "$(descriptor chart "$(json_blob chart '{}')" application/vnd.cncf.helm.config.v1+json)" \
  --argjson l "$(descriptor chart "$(blob chart chart.tgz)" application/vnd.cncf.helm.chart.content.v1.tar+gzip)" '{schemaVersion: 2, config: $c, layers: [$l]}')")
oci_index chart "$(descriptor chart "$artifact" $manifest_type "$(ref chart)")"
expect 1 "$IMGBUILD" audit oci:chart:chart --format json
is 'an artifact has no layers' 0 "$(jq '.images[0].layers | length' "$t/out")"
is 'its id' "$artifact" "$(jq -r '.images[0].id' "$t/out")"
