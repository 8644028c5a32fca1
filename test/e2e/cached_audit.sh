# A base that was audited is not read again; what is new always is; a record that was tampered with counts for nothing.
. "$(dirname "$0")/_common.sh"
export XDG_CACHE_HOME=$t/cache
mkdir "$t/app"
printf 'echo made >/srv-made\n' >"$t/script.sh"
cached() { jq -r '.images[0].coverage.layers_cached' "$1"; }

ran 0 "$IMGBUILD" audit --format json docker:imgbuild-test/busybox:1
[ "$(cached "$t/out")" = 0 ] || fail "the first audit read nothing"
entries=$(jq .images[0].coverage.entries "$t/out")
ran 0 "$IMGBUILD" audit --format json docker:imgbuild-test/busybox:1
[ "$(cached "$t/out")" = 1 ] || fail "the second audit read the layer again"
[ "$(jq .images[0].coverage.entries "$t/out")" = "$entries" ] || fail "the record tells of other entries"
ran 0 "$IMGBUILD" audit --no-cache --format json docker:imgbuild-test/busybox:1
[ "$(cached "$t/out")" = 0 ] || fail "--no-cache used the cache"

# A build reads what its script made, and says of the base that the build's secrets were not looked for there.
secret="q$(head -c 15 /dev/urandom | od -An -tx1 | tr -d ' \n')Z"
printf '%s' "$secret" >"$t/secret"
ran 0 "$IMGBUILD" build "$t/app" --from imgbuild-test/busybox:1 --run "$t/script.sh" -t "e2e/$name:1" --secret "id=s,src=$t/secret" --report "$t/report.json"
[ "$(cached "$t/report.json")" = 1 ] || fail "the build read its base again"
[ "$(jq -c .images[0].coverage.vault_not_looked_for "$t/report.json")" = "[0]" ] || fail "what was not looked for is not told"
ran 0 "$IMGBUILD" build "$t/app" --no-cache --from imgbuild-test/busybox:1 --run "$t/script.sh" -t "e2e/$name:2" --secret "id=s,src=$t/secret" --report "$t/report.json"
[ "$(cached "$t/report.json")" = 0 ] || fail "--no-cache used the cache"

# A leak above a remembered base is found, and what leaked is read again each time.
openssl genpkey -algorithm ed25519 -out "$t/app/k.txt" 2>/dev/null
tar -C "$t/app" -c k.txt | docker import - "e2e/$name:leak" >/dev/null
for _ in 1 2; do ran 1 "$IMGBUILD" audit --format json "docker:e2e/$name:leak"; done

ran 0 "$IMGBUILD" cache verify
for record in "$XDG_CACHE_HOME"/imgbuild/layers/*; do printf x | dd of="$record" bs=1 seek=100 conv=notrunc status=none; done
ran 3 "$IMGBUILD" cache verify
ran 0 "$IMGBUILD" audit --format json docker:imgbuild-test/busybox:1
[ "$(cached "$t/out")" = 0 ] || fail "a record that was tampered with was used"
ran 0 "$IMGBUILD" cache prune
ran 0 "$IMGBUILD" cache verify
ran 0 "$IMGBUILD" cache show
ran 0 "$IMGBUILD" cache prune --all
[ -z "$(ls "$XDG_CACHE_HOME/imgbuild/layers")" ] || fail "prune --all left records"
nothing_left
