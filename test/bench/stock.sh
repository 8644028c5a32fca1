#!/bin/bash
# What an audit says of a stock Debian image with much in it that looks like credentials and is none: test suites,
# documentation, self-test keys. Every finding should be published, or a key that this machine made when the packages
# were installed; and with a private wheel and a private .deb in it, their keys are leaks all the same, told as packaged.
#
#   bash test/bench/stock.sh IMGBUILD [FOLDER]
#
# The image is made once (mmdebstrap, about 1.7 GB, minutes) and kept in FOLDER. Prints each finding by what it was taken
# for; ends with 1 where something is neither. Needs root, mmdebstrap, dpkg-deb, ssh-keygen, jq and python3.
set -euo pipefail
imgbuild=$(realpath "$1")
folder=${2:-${IMGBUILD_BENCH:-/var/tmp/imgbuild-bench}}
mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work XDG_CONFIG_HOME=$work

if [ ! -e "$folder/stock.tar" ]; then
  sources=()
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources; do
    [ ! -s "$file" ] || sources+=("$file")
  done
  mmdebstrap --quiet --format=tar --variant=apt --aptopt='Acquire::Check-Valid-Until "false"' \
    --include=openssl,ca-certificates,python3,python3-cryptography,python3-twisted,golang,ruby,nodejs,npm,git,nginx \
    --include=openjdk-17-jdk-headless,build-essential,ssl-cert,openssh-server \
    bookworm "$folder/stock.tar.part" "${sources[@]}"
  mv "$folder/stock.tar.part" "$folder/stock.tar"
fi

# archive LAYER.tar...: a docker-archive of the layers on standard output.
archive() {
  python3 - "$@" <<'PYTHON'
import hashlib, io, json, sys, tarfile
def digest(path):
    with open(path, "rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
config = json.dumps({"os": "linux", "architecture": "amd64", "config": {}, "history": [],
                     "rootfs": {"type": "layers", "diff_ids": [digest(layer) for layer in sys.argv[1:]]}}).encode()
name = hashlib.sha256(config).hexdigest() + ".json"
layers = [f"{number}/layer.tar" for number in range(len(sys.argv) - 1)]
manifest = json.dumps([{"Config": name, "RepoTags": ["stock:1"], "Layers": layers}]).encode()
with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as out:
    for path, content in ((name, config), ("manifest.json", manifest)):
        entry = tarfile.TarInfo(path)
        entry.size = len(content)
        out.addfile(entry, io.BytesIO(content))
    for layer, path in zip(sys.argv[1:], layers):
        out.add(layer, path)
PYTHON
}

# A private wheel and a private .deb, each with a key made now, as pip and dpkg leave them.
private() {
  local root=$work/root site=usr/local/lib/python3.11/dist-packages
  mkdir -p "$root/$site/acme" "$root/$site/acme-1.0.dist-info" "$work/deb/opt/acme" "$work/deb/DEBIAN" "$work/dpkg/updates"
  ssh-keygen -q -t ed25519 -N '' -C '' -f "$root/$site/acme/deploy_key"
  rm "$root/$site/acme/deploy_key.pub"
  printf 'acme/deploy_key,,\nacme-1.0.dist-info/RECORD,,\n' >"$root/$site/acme-1.0.dist-info/RECORD"
  openssl genpkey -quiet -algorithm RSA -out "$work/deb/opt/acme/server.key" 2>/dev/null
  printf 'Package: acme\nVersion: 1.0-1\nArchitecture: all\nMaintainer: a <a@example.org>\nDescription: acme\n' >"$work/deb/DEBIAN/control"
  chmod -R go-w "$work/deb"
  dpkg-deb --build --root-owner-group "$work/deb" "$work/acme.deb" >/dev/null
  mkdir -p "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates"
  tar -xf "$folder/stock.tar" -O ./var/lib/dpkg/status >"$root/var/lib/dpkg/status"
  dpkg --root="$root" --force-all --force-script-chrootless -i "$work/acme.deb" >/dev/null 2>&1
  tar -C "$root" --owner=0 --group=0 -cf "$work/private.tar" .
}

audit() { "$imgbuild" audit --format json "archive:$1" >"$work/report.json" || [ $? = 1 ] || [ $? = 3 ]; }
# A key that installing made: of this image alone.
host_keys='etc/ssl/private/ssl-cert-snakeoil\.key|etc/ssh/ssh_host_[a-z0-9]+_key'
failed=0

printf 'a stock image\n'
archive "$folder/stock.tar" >"$work/image.tar"
time audit "$work/image.tar"
jq -r --arg host "$host_keys" '.images[0] | .published as $published
  | ([.leaks[] | select([.locations[].path | test("^(" + $host + ")$")] | all)]) as $made
  | ([.leaks[] | select([.locations[].path | test("^(" + $host + ")$")] | all | not)]) as $other
  | "published            \($published | length)",
    "made when installed  \($made | length): \([$made[].locations[0].path] | join(", "))",
    "neither              \($other | length)", ($other[] | "  \(.rule)  \(.locations[0].path)"),
    "notes                \(.notes | length)", (.notes[] | "  \(.rule)  \(.locations[0].path)"),
    "not looked at        \(.coverage.not_scanned | length), of which published \([.coverage.not_scanned[] | select(.published)] | length)",
    (.coverage.not_scanned[] | select(.published | not) | "  \(.path)  \(.why)")' "$work/report.json"
jq -e --arg host "$host_keys" '.images[0] | ([.leaks[] | select([.locations[].path | test("^(" + $host + ")$")] | all | not)] | length == 0)
  and ([.coverage.not_scanned[] | select((.published or .allowed) | not)] | length == 0)' "$work/report.json" >/dev/null || failed=1

printf '\nthe same with a private wheel and a private .deb\n'
private
archive "$folder/stock.tar" "$work/private.tar" >"$work/image.tar"
audit "$work/image.tar"
for want in 'acme/deploy_key python: acme 1.0' 'opt/acme/server.key dpkg: acme 1.0-1'; do
  got=$(jq -r --arg path "${want%% *}" '.images[0].leaks[] | select(.locations[0].path | endswith($path)) | "\($path) \(.packaged)"' "$work/report.json")
  printf '%s\n' "${got:-not found: $want}"
  [ "$got" = "$want" ] || failed=1
done
exit $failed
