# What another tool put into a layout's folder goes wherever the folder goes, also from a folder within it.
. "$(dirname "$0")/_common.sh"
. "$SOURCE/test/cli/_layout.sh"
mkdir clean
echo nothing >clean/a
layer clean.tar clean
only=$(oci_image app clean.tar)
oci_index app "$(descriptor app "$only" $manifest_type "$(ref 1)")"
mkdir -p app/ingest/1/deep
ln -s .. app/ingest/round
ln -s nowhere app/ingest/dangling
mkfifo app/ingest/pipe
expect 0 timeout 20 "$IMGBUILD" audit oci:app
make_key app/ingest/1/deep/data
expect 1 "$IMGBUILD" audit oci:app --format json
is 'where' ingest/1/deep/data "$(jq -r '.images[0].leaks[0].locations[0].path' "$t/out")"
is 'how often' 1 "$(jq '.images[0].leaks[0].locations | length' "$t/out")"
mv app/ingest/1/deep/data app/notes
expect 1 "$IMGBUILD" audit oci:app
