# An answer counts until its day is over; then the leak is one again, and the report says why.
. "$(dirname "$0")/_common.sh"
mkdir -p tree/srv
make_key tree/srv/key
layer l.tar tree
archive leak.tar l.tar
expect 1 "$IMGBUILD" audit archive:leak.tar --format json
jq -r '.images[0].leaks[].allow' "$t/out" | sed 's/reason = "..."/reason = "of the login suite"/' >entry.toml
(cat entry.toml; echo 'expires = 2099-01-01') >later.toml
expect 0 "$IMGBUILD" audit --config later.toml archive:leak.tar
has "$t/out" 'of the login suite'
hasnt "$t/out" 'allow-entry'
(cat entry.toml; echo 'expires = 2020-01-31') >over.toml
expect 1 "$IMGBUILD" audit --config over.toml archive:leak.tar
has "$t/out" 'the allow-entry for it expired on 2020-01-31'
has "$t/out" 'over.toml): expired on 2020-01-31: it excuses nothing any more'
expect 1 "$IMGBUILD" audit --config over.toml archive:leak.tar --format json
is "the remark" expired "$(jq -r '.allow_remarks[0].state' "$t/out")"

# Without a reason, or as it was pasted, it is a mistake.
grep -v reason entry.toml >mute.toml
sed 's/of the login suite/.../' entry.toml >pasted.toml
for file in mute.toml pasted.toml; do
  expect 2 "$IMGBUILD" audit --config $file archive:leak.tar
  one_line 'without a reason'
done

# One that nothing needs is a note.
sed 's|srv/key|srv/gone|' entry.toml >gone.toml
cat entry.toml >>gone.toml
expect 0 "$IMGBUILD" audit --config gone.toml archive:leak.tar
has "$t/out" 'note: allow-entry ssh.private-key at *:srv/gone'
is notes 1 "$(grep -c 'nothing was found that it answers for' "$t/out")"
