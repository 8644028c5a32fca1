# One damaged layer: it is told with its place, what every other part leaks is in the report, in every form, and the
# exit status is 3. From an archive of either layout, a folder, a registry, and with other targets beside it.
. "$(dirname "$0")/_common.sh"
. "$SOURCE/test/cli/_layout.sh"
mkdir -p first/app second third/app clean
make_key key
cp key first/app/first
seq 20000 >second/numbers
cp key third/app/third
echo nothing >clean/a
layer one.tar first
layer two.tar second
layer three.tar third
layer clean.tar clean
token=$(make_token)
export CONFIG="{\"Env\": [\"NPM_TOKEN=$token\"]}"

# leaks PLACE...: what the report in $t/out lists, and that its verdict is that of a damaged image.
leaks() {
  is verdict incomplete "$(jq -r .verdict "$t/out")"
  is "the image's verdict" incomplete "$(jq -r '.images[0].verdict' "$t/out")"
  is places "$*" "$(jq -r '[.images[0].leaks[].locations[].path] | unique | join(" ")' "$t/out")"
  is damaged true "$(jq -r '[.images[0].coverage.not_scanned[].damaged] | all' "$t/out")"
  hasnt "$t/out" "$token"
}

# docker save's first layout: a layer that is cut, changed, or missing.
archive whole.tar one.tar two.tar three.tar
spoil() { # COMMAND: with the layers of whole.tar in folders, 0/ to 2/
  rm -rf parts
  mkdir parts
  tar -C parts -xf whole.tar
  (cd parts && eval "$1")
  tar -C parts -cf spoilt.tar $(ls parts)
}
for how in 'head -c 50000 1/layer.tar >cut; mv cut 1/layer.tar' 'rm -r 1' \
  'printf X | dd of=1/layer.tar bs=1 seek=700 conv=notrunc status=none' \
  'printf X | dd of=1/layer.tar bs=1 seek=3000 conv=notrunc status=none' 'seq 9000 >1/layer.tar'; do
  spoil "$how"
  for target in archive:spoilt.tar -; do
    expect 3 "$IMGBUILD" audit "$target" --format json <spoilt.tar
    told_in_one_line 'layer 1: '
    leaks Env.NPM_TOKEN app/first app/third
    is 'the layer' 1 "$(jq '.images[0].coverage.not_scanned[0].layer' "$t/out")"
  done
done
expect 3 "$IMGBUILD" audit archive:spoilt.tar
for word in DAMAGED 'layer 1: ' app/first app/third 'verdict: incomplete: 1 thing could not be looked at; 2 secrets in what could'; do
  has "$t/out" "$word"
done

# OCI: a folder, its tar, its stream; packed layers.
for PACK in cat 'gzip -nc' 'zstd -qc'; do
  export PACK
  rm -rf app
  image=$(oci_image app one.tar two.tar three.tar)
  oci_index app "$(descriptor app "$image" $manifest_type)"
  second=app/blobs/sha256/$(jq -r '.layers[1].digest' "app/blobs/sha256/${image#sha256:}" | cut -d: -f2)
  for how in "truncate -s -40 $second" "rm $second" "printf XXXX | dd of=$second bs=1 seek=4000 conv=notrunc status=none"; do
    cp "$second" kept
    eval "$how"
    tar -C app -cf app.tar index.json oci-layout blobs
    for target in oci:app oci:app.tar archive:app.tar -; do
      expect 3 "$IMGBUILD" audit "$target" --format json <app.tar
      told_in_one_line 'layer 1: '
      leaks Env.NPM_TOKEN app/first app/third
    done
    cp kept "$second"
  done
done
unset PACK

# The manifest itself: no image is known, all that lies there is looked at.
printf ' ' >>"app/blobs/sha256/${image#sha256:}"
expect 3 "$IMGBUILD" audit oci:app --format json
told_in_one_line "manifest $image"
is 'leaks, of the layers as they lie there' 1 "$(jq '[.images[0].leaks[] | select(.key)] | length' "$t/out")"

# Of a layout's two images the other one.
other=$(CONFIG='{}' oci_image app clean.tar)
oci_index app "$(descriptor app "$image" $manifest_type)" "$(descriptor app "$other" $manifest_type)"
expect 3 "$IMGBUILD" audit oci:app --format json
is images 2 "$(jq '.images | length' "$t/out")"
is layers 1 "$(jq '[.images[].layers | length] | max' "$t/out")"

# Every form has both the leaks and what is damaged.
spoil 'head -c 50000 1/layer.tar >cut; mv cut 1/layer.tar'
forms=()
for form in text json sarif gitlab github junit html; do forms+=(--report "$form=report.$form"); done
expect 3 "$IMGBUILD" audit archive:spoilt.tar "${forms[@]}"
for form in text json sarif gitlab github junit html; do
  has report.$form app/first
  [ $form = gitlab ] || has report.$form 'truncated archive'
done
is 'notifications' 1 "$(jq '[.runs[0].invocations[0].toolExecutionNotifications[]] | length' report.sarif)"
is 'the run' false "$(jq '.runs[0].invocations[0].executionSuccessful' report.sarif)"

# Beside other targets. A leak of a whole image is 1.
CONFIG='{}' archive clean-image.tar clean.tar
CONFIG='{}' archive leak.tar one.tar
expect 3 "$IMGBUILD" audit archive:spoilt.tar archive:clean-image.tar --format json
is images 2 "$(jq '.images | length' "$t/out")"
expect 1 "$IMGBUILD" audit archive:spoilt.tar archive:leak.tar
has "$t/out" app/third
has "$t/out" DAMAGED

# What nobody finds leaks in is not clean either, and no allow-entry makes it so.
unset CONFIG
archive whole.tar clean.tar two.tar
spoil 'head -c 50000 1/layer.tar >cut; mv cut 1/layer.tar'
printf '[[allow]]\npath = "1/layer.tar"\nsha256 = "%s"\nreason = "meant"\n' "$(sha256sum <parts/1/layer.tar | cut -d' ' -f1)" >own.toml
expect 3 "$IMGBUILD" audit --config own.toml --quiet archive:spoilt.tar
is 'standard output' '' "$(cat "$t/out")"

# A registry that has lost a blob, and one that sends other bytes, or fewer.
export CONFIG="{\"Env\": [\"NPM_TOKEN=$token\"]}"
. "$SOURCE/test/cli/_registry.sh"
rm -rf app
image=$(PACK='gzip -nc' oci_image app one.tar two.tar three.tar)
oci_index app "$(descriptor app "$image" $manifest_type)"
second=app/blobs/sha256/$(jq -r '.layers[1].digest' "app/blobs/sha256/${image#sha256:}" | cut -d: -f2)
export REGISTRY_LOGIN=''
for how in "rm $second" "printf XXXX | dd of=$second bs=1 seek=4000 conv=notrunc status=none" "truncate -s -900 $second"; do
  cp "$second" kept
  eval "$how"
  serve
  expect 3 "$IMGBUILD" audit --no-cache "$target" --format json
  told_in_one_line 'layer 1: '
  leaks Env.NPM_TOKEN app/first app/third
  cp kept "$second"
done
serve
expect 1 "$IMGBUILD" audit --no-cache "$target" --format json
stop
