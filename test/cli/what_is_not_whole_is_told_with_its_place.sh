# A missing blob, a wrong digest, size or diff id, a cut archive: exit 3, with the layer, what was expected and what
# came. What nobody has to ship, and what is too old, is told as not looked at.
. "$(dirname "$0")/_common.sh"
. "$SOURCE/test/cli/_layout.sh"
mkdir tree
echo nothing >tree/a
layer one.tar tree
echo more >tree/b
layer two.tar tree
make() { # a fresh layout in $PWD/app; the digests of its parts
  rm -rf app
  image=$(oci_image app one.tar two.tar)
  oci_index app "$(descriptor app "$image" $manifest_type)"
  config=$(jq -r .config.digest "app/blobs/sha256/${image#sha256:}")
  second=$(jq -r '.layers[1].digest' "app/blobs/sha256/${image#sha256:}")
}
at() { printf 'app/blobs/sha256/%s' "${1#sha256:}"; }
# remade FILTER: the manifest changed by jq, and named by what it then is.
remade() {
  image=$(json_blob app "$(jq -c "$1" "$(at "$image")")")
  oci_index app "$(descriptor app "$image" $manifest_type)"
}
both_ways() { # STATUS WORD: from the folder, from its tar and from a stream
  rm -f app.tar
  tar -C app -cf app.tar index.json oci-layout blobs
  expect "$1" "$IMGBUILD" audit oci:app
  [ "$1" = 0 ] || told_in_one_line "$2"
  expect "$1" "$IMGBUILD" audit oci:app.tar
  [ "$1" = 0 ] || told_in_one_line "$2"
  expect "$1" "$IMGBUILD" audit - <app.tar
  [ "$1" = 0 ] || told_in_one_line "$2"
}
make
both_ways 0
for lost in image config second; do
  make
  rm "$(at "${!lost}")"
  both_ways 3 "${!lost}"
  has "$t/err" 'missing'
done
make
rm "$(at "$second")"
both_ways 3 'layer 1: '
# A byte is another one: the tar's own header stays whole.
make
printf X | dd of="$(at "$second")" bs=1 seek=520 conv=notrunc status=none
both_ways 3 'layer 1: its bytes are not what the manifest says: expected '"$second"
has "$t/err" "got sha256:$(sha256sum <"$(at "$second")" | cut -d' ' -f1)"
make
remade '.layers[1].size += 1'
both_ways 3 'layer 1: '
has "$t/err" "($(size_of app "$second") bytes)"
make
remade '.layers |= [.[1], .[0]]'
both_ways 3 'layer 0: its bytes are not what the config says (diff id)'
make
remade '.layers |= .[:1]'
both_ways 3 '1 layers, but the config names 2'
make
printf ' ' >>"$(at "$image")"
both_ways 3 "expected $image"
make
printf X | dd of="$(at "$config")" bs=1 seek=3 conv=notrunc status=none
both_ways 3 "config: "
has "$t/err" "expected $config"
make
remade '. + {Layers: []}'
both_ways 3 'twice'

# A layer cut short with its digest and size made right again.
make
head -c 700 "$(at "$second")" >short
short=$(blob app short)
remade ".layers[1] |= (.digest = \"$short\" | .size = 700)"
both_ways 3 'layer 1: truncated archive'

# Foreign layers may be missing, and are not fetched.
make
rm "$(at "$second")"
remade '.layers[1] += {mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", urls: ["http://127.0.0.1:1/layer"]}'
for target in oci:app oci:app.tar archive:app.tar; do
  tar -C app -cf app.tar index.json oci-layout blobs
  expect 3 "$IMGBUILD" audit "$target" --format json
  is verdict incomplete "$(jq -r .verdict "$t/out")"
  is layers 2 "$(jq '.images[0].layers | length' "$t/out")"
  has "$t/out" 'foreign layer'
  is 'the layer' 1 "$(jq '.images[0].coverage.not_scanned[0].layer' "$t/out")"
done
# Docker's first schema.
rm -rf old
old=$(json_blob old '{"schemaVersion":1,"name":"a","tag":"1","fsLayers":[],"history":[{"v1Compatibility":"{}"}]}')
oci_index old "$(descriptor old "$old" application/vnd.docker.distribution.manifest.v1+prettyjws)"
expect 3 "$IMGBUILD" audit oci:old --format json
is verdict incomplete "$(jq -r .verdict "$t/out")"
has "$t/out" 'schema 1'

# A docker-archive and a layout, cut at many places, are never clean.
archive whole.tar one.tar two.tar
make
tar -C app -cf layout.tar index.json oci-layout blobs
for file in whole.tar layout.tar; do
  gzip -c "$file" >"$file.gz"
  for packed in "$file" "$file.gz"; do
    # The end mark and the padding of the last member may go without loss of content.
    size=$(stat -c %s "$packed")
    [ "$packed" = "$file" ] && last=$((size - 10240)) || last=$((size - 1))
    for at in $(seq 0 $(((last > 512 ? last / 12 : 40))) "$last"); do
      head -c "$at" "$packed" >cut
      expect 3 "$IMGBUILD" audit archive:cut
      expect 3 "$IMGBUILD" audit - <cut
    done
  done
done
