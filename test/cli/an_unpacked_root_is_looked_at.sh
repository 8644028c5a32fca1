# dir: every file of an unpacked root, names, link targets and attributes; links are not followed, devices and pipes not
# opened; what cannot be read is told.
. "$(dirname "$0")/_common.sh"
mkdir -p root/etc root/home/app/.ssh root/empty
echo nothing >root/etc/a
ln -s /etc/passwd root/etc/link
ln -s . root/etc/loop
expect 0 "$IMGBUILD" audit dir:root --format json
is 'no id' null "$(jq -r '.images[0].id' "$t/out")"
is 'no layers' 0 "$(jq '.images[0].layers | length' "$t/out")"
is 'entries' 8 "$(jq '.images[0].coverage.entries' "$t/out")"
is 'bytes' 8 "$(jq '.images[0].coverage.bytes' "$t/out")"
expect 0 "$IMGBUILD" audit dir:root
expect 3 "$IMGBUILD" audit dir:missing
expect 3 "$IMGBUILD" audit dir:root/etc/a
# What lies behind a link is somebody else's.
make_key outside
ln -s "$PWD/outside" root/etc/out
ln -s "$PWD" root/etc/up
mkfifo root/pipe
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("root/socket")'
expect 0 timeout 60 "$IMGBUILD" audit dir:root
# Content, a name, a link's target, an attribute.
make_key root/home/app/.ssh/id
ln root/home/app/.ssh/id root/second
token=$(make_token)
ln -s "https://x:$token@example.org" root/link
expect 1 "$IMGBUILD" audit dir:root --format json
is 'the key' 'home/app/.ssh/id second' \
  "$(jq -r '[.images[0].leaks[] | select(.rule == "ssh.private-key") | .locations[].path] | sort | join(" ")' "$t/out")"
is 'the link' link "$(jq -r '.images[0].leaks[] | select(.rule != "ssh.private-key") | .locations[0].kind' "$t/out" | sort -u)"
hasnt "$t/out" "$token"
# The entry that the report prints answers for it, and one for any layer does.
jq -r '.images[0].leaks[].allow' "$t/out" | sed 's/reason = .*/reason = "a test"/' >allow.toml
expect 0 "$IMGBUILD" audit dir:root --config allow.toml
sed -i 's/at = "0:/at = "*:/' allow.toml
expect 0 "$IMGBUILD" audit dir:root --config allow.toml
rm root/link root/second root/home/app/.ssh/id
if setfattr -n user.note -v "$token" root/etc/a 2>/dev/null; then
  expect 1 "$IMGBUILD" audit dir:root --format json
  is 'the attribute' xattr "$(jq -r '.images[0].leaks[0].locations[0].kind' "$t/out")"
  setfattr -x user.note root/etc/a
fi
# A large file, an archive in it.
(seq 1 1500000; ssh-keygen -q -t ed25519 -N '' -f k && cat k) >root/large
tar -czf root/packed.tgz k
expect 1 "$IMGBUILD" audit dir:root --format json
is 'both' 'large packed.tgz!k' \
  "$(jq -r '[.images[0].leaks[].locations[] | [.path] + (.inside // []) | join("!")] | sort | join(" ")' "$t/out")"
rm root/large root/packed.tgz
# Holes are passed over, what stands between them is not.
truncate -s 40M root/sparse
printf 'a\nb\nTOKEN=%s\n' "$token" | dd of=root/sparse bs=1 seek=9000001 conv=notrunc status=none
truncate -s 30000001 root/tail
printf '\n%s\n' "$token" >>root/tail
expect 1 "$IMGBUILD" audit dir:root --format json
is 'both' 'sparse 3 tail 2' \
  "$(jq -r '[.images[0].leaks[].locations[] | .path + " " + (.line | tostring)] | sort | join(" ")' "$t/out")"
rm root/sparse root/tail
# One that changes while it is read.
head -c 300000000 /dev/zero >root/growing
(while echo x >>root/growing; do sleep 0.01; done) >/dev/null 2>&1 &
writer=$!
expect 3 "$IMGBUILD" audit dir:root
told_in_one_line 'growing: it changed while it was read'
kill $writer 2>/dev/null || true
wait $writer || true
rm root/growing
# What may not be read is not clean.
if [ "$(id -u)" != 0 ]; then
  chmod 0 root/etc/a
  expect 3 "$IMGBUILD" audit dir:root --format json
  has "$t/out" 'etc/a'
fi
