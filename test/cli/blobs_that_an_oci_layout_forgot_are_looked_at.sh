# A name that moves on leaves its old blobs in the layout's folder, and they go wherever the folder goes: they are looked
# at where all of it is, and are nobody's where one image was asked for.
. "$(dirname "$0")/_common.sh"
. "$SOURCE/test/cli/_layout.sh"
mkdir clean leaky
echo nothing >clean/a
make_key leaky/id
layer clean.tar clean
layer leaky.tar leaky
bad=$(PACK='gzip -c' oci_image app clean.tar leaky.tar)
good=$(PACK='gzip -c' oci_image app clean.tar)
oci_index app "$(descriptor app "$bad" $manifest_type "$(ref 1)")"
expect 1 "$IMGBUILD" audit oci:app
oci_index app "$(descriptor app "$good" $manifest_type "$(ref 1)")"
expect 1 "$IMGBUILD" audit oci:app --format json
is 'the layers of the image' 1 "$(jq '.images[0].layers | length' "$t/out")"
is 'where in the forgotten layer' id "$(jq -r '.images[0].leaks[0].locations[0].inside[-1]' "$t/out")"
has "$t/out" 'blobs/sha256/'
expect 0 "$IMGBUILD" audit oci:app:1
tar -C app -cf app.tar oci-layout index.json blobs
expect 1 "$IMGBUILD" audit oci:app.tar
expect 0 "$IMGBUILD" audit oci:app.tar:1
gzip -k app.tar
expect 1 "$IMGBUILD" audit oci:app.tar.gz
expect 0 "$IMGBUILD" audit oci:app.tar.gz:1
# Another platform's blobs are not forgotten, and what is no file is no blob.
case $(uname -m) in x86_64) here=amd64 there=arm64 ;; aarch64) here=arm64 there=amd64 ;; *) exit 77 ;; esac
ours=$(ARCH=$here oci_image multi clean.tar)
other=$(ARCH=$there oci_image multi leaky.tar)
both=$(nested multi "$(descriptor multi "$other" $manifest_type "$(for_platform linux/$there)")" \
  "$(descriptor multi "$ours" $manifest_type "$(for_platform linux/$here)")")
oci_index multi "$(descriptor multi "$both" $index_type "$(ref 1)")"
mkdir multi/blobs/sha256/tmp
expect 0 "$IMGBUILD" audit oci:multi
