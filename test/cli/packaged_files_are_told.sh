# A key that a package brought is a leak like any other, and the report says which package it was, by the records that
# dpkg (a whole one, and a distroless image's), apk, rpm and pip leave in the image.
. "$(dirname "$0")/_common.sh"

# audited WANT PATH: the key in `tree` at PATH is a leak, told as packaged by WANT.
audited() {
  mkdir -p "tree/$(dirname "$2")"
  make_key "tree/$2"
  rm "tree/$2.pub"
  layer layer.tar tree
  archive app.tar layer.tar
  expect 1 "$IMGBUILD" audit --format json archive:app.tar
  is "the package of $2" "$2 critical $1" "$(jq -r '.images[0].leaks[] | "\(.locations[0].path) \(.severity) \(.packaged)"' "$t/out")"
  expect 1 "$IMGBUILD" audit archive:app.tar
  has "$t/out" "$1"
  rm -rf tree
  mkdir tree
}
mkdir tree

# A real .deb, installed by a real dpkg.
mkdir -p deb/DEBIAN deb/opt/acme tree/var/lib/dpkg/info tree/var/lib/dpkg/updates
printf 'Package: acme\nVersion: 1.0-1\nArchitecture: all\nMaintainer: a <a@example.org>\nDescription: acme\n' >deb/DEBIAN/control
: >deb/opt/acme/key
: >tree/var/lib/dpkg/status
dpkg-deb --build --root-owner-group deb acme.deb >/dev/null
dpkg --root="$PWD/tree" --force-not-root --force-bad-path --log=/dev/null -i acme.deb >/dev/null 2>&1 || fail 'dpkg failed'
rm tree/opt/acme/key
audited 'dpkg: acme 1.0-1' opt/acme/key

mkdir -p tree/var/lib/dpkg/status.d
printf 'Package: base-files\nVersion: 12.4\n' >tree/var/lib/dpkg/status.d/base-files
printf 'd41d8cd98f00b204e9800998ecf8427e  etc/base.key\n' >tree/var/lib/dpkg/status.d/base-files.md5sums
audited 'dpkg: base-files 12.4' etc/base.key

mkdir -p tree/lib/apk/db
printf 'C:Q1x=\nP:acme\nV:1.0-r1\nA:x86_64\n\nP:other\nV:2\nF:etc/acme\nR:key.pem\n\n' >tree/lib/apk/db/installed
audited 'apk: other 2' etc/acme/key.pem

# What pip leaves of a wheel.
site=usr/lib/python3/dist-packages
mkdir -p "tree/$site/acme_tool-1.0.dist-info"
printf 'acme_tool/key.pem,sha256=x,400\nacme_tool-1.0.dist-info/RECORD,,\n' >"tree/$site/acme_tool-1.0.dist-info/RECORD"
audited 'python: acme_tool 1.0' "$site/acme_tool/key.pem"

# A real package in a real rpm database.
printf '%s\n' 'Name: acme' 'Version: 1.0' 'Release: 2' 'Summary: s' 'License: x' 'BuildArch: noarch' '%description' d '%install' \
  'mkdir -p %{buildroot}/opt/acme' 'touch %{buildroot}/opt/acme/key' '%files' /opt/acme/key >acme.spec
rpmbuild --quiet --define "_topdir $PWD/top" --nodeps -bb acme.spec >rpm.log 2>&1 || { cat rpm.log >&2; fail 'rpmbuild failed'; }
mkdir -p tree/var/lib/rpm
rpm --dbpath "$PWD/tree/var/lib/rpm" --define '_db_backend sqlite' --nodeps --justdb --noscripts -i top/RPMS/noarch/acme-1.0-2.noarch.rpm >rpm.log 2>&1 ||
  { cat rpm.log >&2; fail 'rpm failed'; }
audited 'rpm: acme 1.0-2' opt/acme/key

# What only looks like a password is an example of a manual where the system's packages brought it: a note. Where pip put
# it, it may well be the code that is private.
word=$(head -c 9 /dev/urandom | od -An -tx1 | tr -d ' \n')
mkdir -p tree/var/lib/dpkg/info tree/usr/share/doc/acme "tree/$site/acme_tool" "tree/$site/acme_tool-1.0.dist-info"
printf 'Package: acme\nStatus: install ok installed\nVersion: 1.0-1\nArchitecture: all\n\n' >tree/var/lib/dpkg/status
printf '/usr/share/doc/acme/manual.yml\n' >tree/var/lib/dpkg/info/acme.list
printf 'password: "Xq%s"\n' "$word" >tree/usr/share/doc/acme/manual.yml
layer layer.tar tree
archive app.tar layer.tar
expect 0 "$IMGBUILD" audit --format json archive:app.tar
is 'a note' 'generic.password low dpkg: acme 1.0-1' "$(jq -r '.images[0].notes[] | "\(.rule) \(.severity) \(.packaged)"' "$t/out")"
expect 1 "$IMGBUILD" audit --fail-on low archive:app.tar
printf 'acme_tool/settings.yml,sha256=x,40\n' >"tree/$site/acme_tool-1.0.dist-info/RECORD"
cp tree/usr/share/doc/acme/manual.yml "tree/$site/acme_tool/settings.yml"
layer layer.tar tree
archive app.tar layer.tar
expect 1 "$IMGBUILD" audit archive:app.tar
