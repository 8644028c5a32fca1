# Read after _common.sh: OCI image layouts, made by hand so that they can be wrong.

# blob DIR FILE: puts it into the layout; prints its digest.
blob() {
  local digest
  digest=$(sha256sum <"$2" | cut -d' ' -f1)
  mkdir -p "$1/blobs/sha256"
  cp "$2" "$1/blobs/sha256/$digest"
  printf 'sha256:%s\n' "$digest"
}
size_of() { stat -c %s "$1/blobs/sha256/${2#sha256:}"; }
# descriptor DIR DIGEST TYPE [MORE]: JSON; MORE is merged into it.
descriptor() {
  jq -nc --arg d "$2" --argjson s "$(size_of "$1" "$2")" --arg t "$3" --argjson more "${4:-{\}}" \
    '{mediaType: $t, digest: $d, size: $s} + $more'
}
json_blob() { # json_blob DIR JSON
  printf '%s' "$2" >"$t/json"
  blob "$1" "$t/json"
}
oci=application/vnd.oci.image
# oci_image DIR LAYER.tar...: config and manifest; prints the manifest's digest. PACK: gzip -c, zstd -qc, cat...;
# CONFIG: the JSON of the config's "config"; ARCH: its architecture; ANNOTATIONS: the manifest's.
oci_image() {
  local dir=$1 layer diffs='[]' layers='[]' digest config
  shift
  for layer in "$@"; do
    diffs=$(jq -c --arg d "sha256:$(sha256sum <"$layer" | cut -d' ' -f1)" '. + [$d]' <<<"$diffs")
    ${PACK:-cat} <"$layer" >"$t/packed"
    digest=$(blob "$dir" "$t/packed")
    layers=$(jq -c --argjson l "$(descriptor "$dir" "$digest" "$oci.layer.v1.tar")" '. + [$l]' <<<"$layers")
  done
  config=$(json_blob "$dir" "$(jq -nc --argjson diffs "$diffs" --argjson config "${CONFIG:-{\}}" --arg arch "${ARCH:-amd64}" \
    '{architecture: $arch, os: "linux", config: $config, rootfs: {type: "layers", diff_ids: $diffs}}')")
  json_blob "$dir" "$(jq -nc --argjson layers "$layers" --argjson config "$(descriptor "$dir" "$config" $oci.config.v1+json)" \
    --argjson annotations "${ANNOTATIONS:-{\}}" \
    '{schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", config: $config, layers: $layers, annotations: $annotations}')"
}
# oci_index DIR DESCRIPTOR...: index.json, and the file that says what the folder is.
oci_index() {
  local dir=$1
  shift
  printf '%s\n' "$@" | jq -sc '{schemaVersion: 2, manifests: .}' >"$dir/index.json"
  printf '{"imageLayoutVersion":"1.0.0"}' >"$dir/oci-layout"
}
# nested DIR DESCRIPTOR...: an index as a blob; prints its digest.
nested() {
  local dir=$1
  shift
  json_blob "$dir" "$(printf '%s\n' "$@" | jq -sc '{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: .}')"
}
ref() { printf '{"annotations":{"org.opencontainers.image.ref.name":"%s"}}' "$1"; }
for_platform() { printf '{"platform":{"os":"%s","architecture":"%s"}}' "${1%/*}" "${1#*/}"; }
manifest_type=$oci.manifest.v1+json
index_type=$oci.index.v1+json
