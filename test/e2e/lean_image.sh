# --artifact and --onto: only what is named reaches the second image, as it was; nothing of the builder ships.
. "$(dirname "$0")/_common.sh"
mkdir "$t/app" "$t/target"
printf 'source\n' >"$t/app/main.c"
# A target as distributions have it: /bin is a link, /usr/local/bin has a mode of its own, and ENTRYPOINT, USER, ENV.
cat >"$t/target/Dockerfile" <<'DOCKERFILE'
FROM imgbuild-test/busybox:1
RUN mkdir -p /usr/bin /usr/local/bin && chmod 2751 /usr/local/bin && chown 7:8 /usr/local/bin && ln -s usr/local/bin /lbin
ENV COLOUR=green
USER 1000:1000
VOLUME /data
ENTRYPOINT ["/usr/local/bin/app"]
DOCKERFILE
DOCKER_BUILDKIT=0 docker build --network host -q -t "e2e/$name:target" "$t/target" >/dev/null
cat >"$t/script.sh" <<'SCRIPT'
mkdir -p out/conf /opt/tools /cache
printf '#!/bin/sh\necho built\n' >out/app
chown 12:34 out/app; chmod 4755 out/app
echo one >out/conf/a.conf; ln out/conf/a.conf out/conf/b.conf; ln -s /etc/shadow out/conf/link
echo odd >"out/conf/new
line"
touch -d '2001-02-03 04:05:06' out/conf/a.conf
mkfifo out/conf/pipe
dd if=/dev/zero of=/opt/tools/compiler bs=1M count=20 2>/dev/null
dd if=/dev/zero of=/cache/rest bs=1M count=5 2>/dev/null
echo x >/opt/tools/x.lib; echo y >/opt/tools/y.lib
SCRIPT
build=("$IMGBUILD" build "$t/app" --from imgbuild-test/busybox:1 --onto "e2e/$name:target" --network host --user 0 -t "e2e/$name:1")
export SOURCE_DATE_EPOCH=1700000000
ran 0 "${build[@]}" --run "$t/script.sh" --artifact out/app:/lbin/app --artifact out/conf:/etc/app --artifact '/opt/tools/*.lib:/usr/lib/app' --report "$t/report.json"
has "$t/err" "packing 3 artifacts onto e2e/$name:target"
first=$(cat "$t/out")
printf '%s\n' etc/ etc/app/ etc/app/a.conf etc/app/b.conf etc/app/link 'etc/app/new\nline' etc/app/pipe usr/ usr/lib/ usr/lib/app/ \
  usr/lib/app/x.lib usr/lib/app/y.lib usr/local/ usr/local/bin/ usr/local/bin/app | sort >"$t/want"
layer_paths "e2e/$name:1" >"$t/got"
diff "$t/want" "$t/got" || fail "the layer holds other paths"
[ "$(docker run --rm "e2e/$name:1")" = built ] || fail "the artefact does not run as the image's entrypoint"
look() { docker run --rm --user 0 --entrypoint stat "e2e/$name:1" -c '%a %u:%g %F %Y' "$1"; }
[ "$(look /usr/local/bin/app)" = "4755 12:34 regular file 1700000000" ] || fail "owner or mode: $(look /usr/local/bin/app)"
[ "$(look /usr/local/bin | cut -d' ' -f1-3)" = "2751 7:8 directory" ] || fail "the image's own folder: $(look /usr/local/bin)"
[ "$(look /etc/app/a.conf)" = "644 0:0 regular file $(date -u -d '2001-02-03 04:05:06' +%s)" ] || fail "time: $(look /etc/app/a.conf)"
[ "$(docker run --rm --entrypoint readlink "e2e/$name:1" /lbin)" = usr/local/bin ] || fail "the image's link was replaced"
[ "$(docker run --rm --entrypoint readlink "e2e/$name:1" /etc/app/link)" = /etc/shadow ] || fail "the link"
[ "$(docker run --rm --user 0 --entrypoint stat "e2e/$name:1" -c %h /etc/app/b.conf)" = 2 ] || fail "the hard link"
docker image inspect "e2e/$name:target" | jq -S '.[0].Config | del(.Image, .Hostname)' >"$t/before.json"
docker image inspect "e2e/$name:1" | jq -S '.[0].Config | del(.Image, .Hostname)' >"$t/after.json"
diff "$t/before.json" "$t/after.json" || fail "the config is not that of --onto"
jq -e '.verdict == "clean"' "$t/report.json" >/dev/null
nothing_left
docker rmi "e2e/$name:1" >/dev/null
# The same again is the same image.
ran 0 "${build[@]}" --no-cache --run "$t/script.sh" --artifact out/app:/lbin/app --artifact out/conf:/etc/app --artifact '/opt/tools/*.lib:/usr/lib/app'
[ "$(cat "$t/out")" = "$first" ] || fail "the same build made another image"
docker rmi "e2e/$name:1" >/dev/null
unset SOURCE_DATE_EPOCH

# What does not exist is one line, and nothing is named.
one_line() { [ "$(grep -c "^imgbuild: $1" "$t/err")" = 1 ] || { cat "$t/err"; fail "not one line: $1"; }; no_image "e2e/$name:1"; nothing_left; }
ran 3 "${build[@]}" --artifact out/gone:/x -- true
one_line 'artifact out/gone:/x: the builder has none'
ran 3 "${build[@]}" --artifact '/opt/*.none:/x' -- mkdir -p /opt
one_line 'artifact /opt/\*.none:/x: nothing in the builder matches'
ran 3 "${build[@]}" --artifact out:/x -- sh -c 'mkdir out; mknod out/disk b 7 0'
one_line 'artifact out:/x: out/disk is a device: it does not ship'
ran 3 "${build[@]}" --artifact out:/etc -- sh -c 'mkdir out; touch out/.wh.passwd'
one_line 'artifact out:/etc: '
ran 3 "${build[@]}" --artifact out:/x -- sh -c 'mkdir out; touch "out/.wh.a
b"'
one_line 'artifact out:/x: /x/.wh.a\\x0ab: '
ran 3 "${build[@]}" --artifact out:/usr/local/bin -- touch out
one_line 'artifact out:/usr/local/bin: /usr/local/bin is a folder in the image'
ran 2 "${build[@]}" --artifact ../out:/x -- true
ran 2 "${build[@]}" --artifact out -- true
ran 2 "${build[@]}" --run "$t/script.sh"
ran 3 "$IMGBUILD" build "$t/app" --from imgbuild-test/busybox:1 --onto e2e/none:1 -t "e2e/$name:1" --artifact out:/x -- sh -c 'echo the script must not have run'
hasnt "$t/err" 'must not have run'
nothing_left
# A link that leads out of the builder leads nowhere: what is read is the builder's.
echo "of the host $$" >"$t/host"
ran 3 "${build[@]}" --artifact "out/${t##*/}/host:/x" -- ln -s "${t%/*}" out
hasnt "$t/err" "of the host"
no_image "e2e/$name:1"
ran 0 "${build[@]}" --artifact out:/x -- ln -s "$t/host" out
[ "$(docker run --rm --entrypoint readlink "e2e/$name:1" /x)" = "$t/host" ] || fail "a link is not shipped as one"
docker rmi "e2e/$name:1" >/dev/null

# The whole final image is audited: a secret in an artefact is a leak, one that stays behind is not.
printf 'q7Zr%s' 'T9mKx2Lw8VbN4sJd' >"$t/token"
secret=(--secret "id=token,src=$t/token")
ran 1 "${build[@]}" "${secret[@]}" --artifact out:/x -- sh -c 'mkdir out; cp $BUILD_SECRETS/token out/config'
has "$t/err" x/config
no_image "e2e/$name:1"
ran 0 "${build[@]}" "${secret[@]}" --artifact out:/x -- sh -c 'mkdir out; cp $BUILD_SECRETS/token /left; echo fine >out/config'
docker save "e2e/$name:1" >"$t/saved"
! grep -qF "$(cat "$t/token")" "$t/saved" || fail "the builder's rest shipped"
nothing_left
# What lies in many files at once: a tree of 3,000 files in 300 folders.
docker rmi "e2e/$name:1" >/dev/null
ran 0 "${build[@]}" --artifact out:/usr/lib/many -- sh -c 'for d in $(seq 300); do mkdir -p out/$d; for f in 1 2 3 4 5 6 7 8 9 10; do echo $f >out/$d/$f; done; done'
[ "$(layer_paths "e2e/$name:1" | grep -c 'usr/lib/many/.*[0-9]$')" = 3000 ] || fail "not all files came"
nothing_left
