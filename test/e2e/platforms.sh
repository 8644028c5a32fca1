# An image for several platforms in containerd's store: those that are there are looked at, with their attestations and
# annotations; those that nobody fetched are not missed; --platform takes one.
IMGBUILD_TEST_ENGINE=newest
. "$(dirname "$0")/_common.sh"
. "$SOURCE/test/e2e/_registry.sh"
blobs=apart
plain=127.0.0.1:$(free_port)
registry_up plain "${plain#*:}" ''
ssh-keygen -q -t ed25519 -N '' -f "$t/key" -C ''

# layout DIR KEYED: linux/amd64 and linux/arm64, the one called KEYED with a key in it, and an attestation of the former.
layout() {
  python3 - "$1" "$2" "$t/key" <<'PYTHON'
import gzip, hashlib, io, json, os, sys, tarfile
folder, keyed, key = sys.argv[1:4]
os.makedirs(folder + "/blobs/sha256")
def put(data, kind):
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    digest = hashlib.sha256(data).hexdigest()
    open(f"{folder}/blobs/sha256/{digest}", "wb").write(data)
    return {"mediaType": "application/vnd." + kind, "digest": "sha256:" + digest, "size": len(data)}
def layer(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()
entries = []
for arch in "amd64", "arm64":
    files = {"etc/arch": arch.encode()}
    if arch == keyed:
        files["srv/key.pem"] = open(key, "rb").read()
    tar = layer(files)
    config = {"architecture": arch, "os": "linux", "config": {"Cmd": ["x"]}, "history": [{"created_by": "COPY"}],
              "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(tar).hexdigest()]}}
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": put(config, "oci.image.config.v1+json"),
                "layers": [put(gzip.compress(tar, mtime=0), "oci.image.layer.v1.tar+gzip")]}
    entries.append({**put(manifest, "oci.image.manifest.v1+json"), "platform": {"os": "linux", "architecture": arch}})
index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": entries}
top = put(index, "oci.image.index.v1+json")
top["annotations"] = {"org.opencontainers.image.ref.name": "1"}
json.dump({"schemaVersion": 2, "manifests": [top]}, open(folder + "/index.json", "w"))
json.dump({"imageLayoutVersion": "1.0.0"}, open(folder + "/oci-layout", "w"))
PYTHON
}
end_images() { docker images --format '{{.Repository}}:{{.Tag}}' | grep "^$plain/" | xargs -r docker rmi -f >/dev/null 2>&1 || true; }

at_last() { local status=$?; end_images; (exit $status); ends; }
trap at_last EXIT
for keyed in arm64 amd64; do
  layout "$t/$keyed" $keyed
  skopeo copy -q --all --dest-tls-verify=false "oci:$t/$keyed:1" "docker://$plain/e2e/$keyed:1"
  docker pull -q "$plain/e2e/$keyed:1" >/dev/null
done
# This machine's platform alone was fetched: the other's key is not here, and would not be pushed from here.
here=$(docker version -f '{{.Server.Arch}}')
[ "$here" = amd64 ] || { echo 'cannot be tested here: the machine is no amd64'; exit 77; }
ran 0 "$IMGBUILD" audit --format json "$plain/e2e/arm64:1"
[ "$(jq -c '[.images[].platform]' "$t/out")" = '["linux/amd64"]' ] || fail "not the one that is here: $(jq -c '[.images[].platform]' "$t/out")"
ran 1 "$IMGBUILD" audit --format json "$plain/e2e/amd64:1"
# Now both are here.
docker pull -q --platform linux/arm64 "$plain/e2e/arm64:1" >/dev/null
ran 1 "$IMGBUILD" audit --format json "$plain/e2e/arm64:1"
[ "$(jq -c '[.images[].platform]' "$t/out")" = '["linux/amd64","linux/arm64"]' ] || fail 'not both'
ran 0 "$IMGBUILD" audit --platform linux/amd64 "$plain/e2e/arm64:1"
ran 1 "$IMGBUILD" audit --platform linux/arm64 "$plain/e2e/arm64:1"
ran 3 "$IMGBUILD" audit --platform linux/s390x "$plain/e2e/arm64:1"
# So does a setting of the user's, for `push` too: what it sends is what was looked at.
printf 'platform = "linux/amd64"\n' >"$t/one.toml"
ran 0 "$IMGBUILD" audit --config "$t/one.toml" "$plain/e2e/arm64:1"
ran 1 env IMGBUILD_PLATFORM=linux/arm64 "$IMGBUILD" push "$plain/e2e/arm64:1" "$plain/e2e/one:1"
ran 0 "$IMGBUILD" push --config "$t/one.toml" "$plain/e2e/arm64:1" "$plain/e2e/one:1"
ran 0 "$IMGBUILD" audit --format json --platform linux/amd64 "registry:$plain/e2e/one:1"
[ "$(jq -c '[.images[].platform]' "$t/out")" = '["linux/amd64"]' ] || fail 'another one was sent'
# The same from what the engine saves.
# shellcheck disable=SC2016 # the inner shell expands them
hide=(unshare -m --propagation private sh -c 'mount -t tmpfs none "$1" && shift && exec "$@"' - "$ENGINE_DIR/croot")
ran 1 "${hide[@]}" "$IMGBUILD" audit "$plain/e2e/arm64:1"
ran 0 "${hide[@]}" "$IMGBUILD" audit --platform linux/amd64 "$plain/e2e/arm64:1"
ran 1 "${hide[@]}" "$IMGBUILD" audit --platform linux/arm64 "$plain/e2e/arm64:1"
ran 1 "${hide[@]}" "$IMGBUILD" audit --format json "$plain/e2e/amd64:1"
[ "$(jq -c '[.images[].platform]' "$t/out")" = '["linux/amd64"]' ] || fail 'not the one that is saved'
