# The cases of engines.sh on one engine; a line "case<TAB>ok|FAILED|cannot: why" each, to $RESULTS. CASES=REGEX takes those
# whose function it matches.
. "$(dirname "$0")/_common.sh"
. "$SOURCE/test/e2e/_registry.sh"
. "$SOURCE/test/e2e/_git.sh"
name=engines
busybox=imgbuild-test/busybox:1
image=e2e/$name:1
mkdir "$t/app"
echo hello >"$t/app/hello"
printf '.git\n' >"$t/app/.dockerignore"
ssh-keygen -q -t ed25519 -N '' -f "$t/key" -C ''
secret="s$(head -c 15 /dev/urandom | od -An -tx1 | tr -d ' \n')T"
printf '%s' "$secret" >"$t/secret"
# Text for a script that makes the key: each letter is the one behind it, and nobody can tell before the script runs.
make_key="mkdir -p /srv; printf %s '$(base64 -w0 "$t/key" | tr a-zA-Z b-zaB-ZA)' | tr b-zaB-ZA a-zA-Z | base64 -d >/srv/key.pem"

cannot() { printf 'cannot: %s' "$*" >"$t/cannot"; exit 77; }
refusal() { sed -n 's/^imgbuild: //p' "$t/err" | head -n 1; }
script() { # script STATUS TEXT [FLAGS...]
  local want=$1
  printf '%s\n' "$2" >"$t/script.sh"
  shift 2
  ran "$want" "$IMGBUILD" build "$t/app" --from "${base:-$busybox}" --network host --run "$t/script.sh" -t "$image" --report "$t/report.json" "$@"
}
named() { # the name is that of the id that was printed, and it runs
  [ "$(docker image inspect -f '{{.Id}}' "$image" | sed 's/^sha256://')" = "$(sed 's/^sha256://' "$t/out")" ] || fail 'another id than the one printed is named'
  # By what it prints: of a container that ends at once docker's client may get no status from podman.
  [ "$(docker run --rm --network none "$image" sh -c '"$@" >&2 && echo ran' - "$@")" = ran ] || fail "does not run: $*"
}
refused() { # nothing is named, nothing left, and the report has no byte of it
  no_image "$image"
  [ "$(jq -r '.images[0].verdict' "$t/report.json")" = leak ] || fail 'the report does not say leak'
  hasnt "$t/report.json" "$secret"
  hasnt "$t/err" "$secret"
  nothing_left
}

. "$SOURCE/test/e2e/_engine_dockerfiles.sh"

script_clean() {
  script 0 'mkdir -p /opt; cp hello /opt/hello; mkdir -p /srv/a/b' --label kept=yes
  named cat /opt/hello
  layer_paths "$image" >"$t/paths"
  has "$t/paths" opt/hello
  ! grep -E 'imgbuild|\.dockerenv' "$t/paths" || fail 'something of ours is in the layer'
  docker image inspect "$image" | jq '.[0].Config' >"$t/config"
  [ "$(jq -c .Cmd "$t/config")" = '["sh"]' ] || fail "the base's CMD is lost"
  [ "$(jq -c .Labels "$t/config")" = '{"kept":"yes"}' ] || fail 'not the labels that were asked for'
  docker history --no-trunc "$image" >"$t/history"
  hasnt "$t/history" 'cp hello'
}
script_nothing() { script 0 true; named true; }
script_leak() { script 1 "$make_key"; has "$t/err" srv/key.pem; refused; }
deleted_key() {
  mkdir -p "$t/root/srv"
  engine_busybox_tree "$t/root"
  cp "$t/key" "$t/root/srv/key.pem"
  engine_base "e2e/$name:keyed" "$t/root" 'ENV PATH=/bin' 'CMD ["sh"]'
  base=e2e/$name:keyed script 1 'rm /srv/key.pem'
  [ "$(jq -r '.images[0].leaks[0].locations[0].state' "$t/report.json")" = deleted ] || fail 'it is not told as deleted'
  docker rmi -f "e2e/$name:keyed" >/dev/null
  refused
}
env_leak() {
  mkdir -p "$t/env"
  engine_busybox_tree "$t/env"
  engine_base "e2e/$name:env" "$t/env" 'ENV PATH=/bin' "ENV API_PASSWORD=$secret"
  base=e2e/$name:env script 1 true
  has "$t/err" Env.API_PASSWORD
  docker rmi -f "e2e/$name:env" >/dev/null
  refused
}
ssh_clone() {
  base=imgbuild-test/debian:1 script 0 "git clone -q $REPO_URL /srv/app && grep -q private /srv/app/main.c" "${grant[@]}"
  [ "$(jq -r '.build.ledger | map(select(.granted)) | length' "$t/report.json")" -ge 1 ] || fail 'no signature in the ledger'
  layer_paths "$image" >"$t/paths"
  has "$t/paths" srv/app/main.c
  hasnt "$t/paths" .ssh
  base=imgbuild-test/debian:1 script 4 "ssh -p $SSH_PORT nobody@127.0.0.1 true" "${grant[@]}"
  [ "$(jq -r '.build.ledger | map(select(.granted | not)) | length' "$t/report.json")" -ge 1 ] || fail 'the refusal is not in the ledger'
}
secrets() {
  script 0 'mkdir -p /opt; wc -c <"$BUILD_SECRETS/s" >/opt/size; cat "$BUILD_SECRETS/s"' --secret "id=s,src=$t/secret"
  has "$t/err" '[redacted: secret s]'
  named test -s /opt/size
  docker rmi -f "$image" >/dev/null
  script 1 'mkdir -p /opt; base64 "$BUILD_SECRETS/s" >/opt/copy' --secret "id=s,src=$t/secret"
  has "$t/err" opt/copy
  refused
}
# A file is lent at a place where one was, at one where none was, and into a folder of somebody else: in the image each
# is what it was in the base, and so is the folder. A copy of what is secret in it is refused, of the rest it is not.
config_files() {
  local user seen
  printf 'index = https://mirror.example/simple\npassword = %s\n' "$secret" >"$t/tool.conf"
  chmod 640 "$t/tool.conf"
  mkdir -p "$t/conf/srv/theirs"
  engine_busybox_tree "$t/conf"
  printf 'of the base\n' >"$t/conf/etc/tool.conf"
  printf 'theirs\n' >"$t/conf/srv/theirs/tool.conf"
  ln -s ../srv/theirs "$t/conf/etc/way"
  chown 7:8 "$t/conf/etc/tool.conf" && chmod 604 "$t/conf/etc/tool.conf"
  chown -R 5:6 "$t/conf/srv/theirs" && chmod 2751 "$t/conf/srv/theirs"
  find "$t/conf" -exec touch -h -d '2020-01-02 03:04:05' {} +
  engine_base "e2e/$name:conf" "$t/conf" 'ENV PATH=/bin' 'CMD ["sh"]'
  # shellcheck disable=SC2016 # the inner shell expands them
  seen='cat /etc/tool.conf /srv/theirs/tool.conf; stat -c "%n %u:%g %a %F" /etc; stat -c "%n %u:%g %a %F %Y" /etc/tool.conf /etc/way /srv/theirs /srv/theirs/* /home/dev /root; ls -A /home/dev /root /srv'
  docker run --rm --network none "e2e/$name:conf" sh -c "{ $seen; } >&2" 2>"$t/want"
  for user in 0 dev; do
    base=e2e/$name:conf script 0 'set -e
for file in /etc/tool.conf /etc/none.conf /srv/theirs/tool.conf /etc/way/other.conf /home/dev/.config/deep/tool.conf tool.conf; do
  cmp /etc/tool.conf $file
  test "$(stat -Lc "%a %u" $file)" = "640 $(id -u)"
done
grep -q mirror.example /etc/tool.conf
echo made >/tmp/made' --user $user --config-file "$t/tool.conf:/etc/tool.conf" --config-file "$t/tool.conf:/etc/none.conf" \
      --config-file "$t/tool.conf:/srv/theirs/tool.conf" --config-file "$t/tool.conf:/etc/way/other.conf" \
      --config-file "$t/tool.conf:/home/dev/.config/deep/tool.conf" --config-file "$t/tool.conf:tool.conf"
    named test -f /tmp/made
    docker run --rm --network none "$image" sh -c "{ $seen; } >&2" 2>"$t/got"
    diff "$t/want" "$t/got" || fail "something is not what it was ($user)"
    layer_paths "$image" >"$t/paths"
    hasnt "$t/paths" imgbuild
    ! grep -qE '(^|/)\.wh\.|none\.conf|other\.conf|\.config' "$t/paths" || { cat "$t/paths"; fail 'what was lent left something'; }
    docker save "$image" >"$t/saved.tar"
    ! { cat "$t/saved.tar" && tar -xOf "$t/saved.tar" | zcat -f; } | grep -qa -e "$secret" -e mirror.example || fail 'a byte of it is in the image'
    hasnt "$t/err" "$secret"
    docker rmi -f "$image" >/dev/null
  done
  base=e2e/$name:conf script 0 'sed -i s/simple/mine/ /etc/tool.conf' --config-file "$t/tool.conf:/etc/tool.conf"
  has "$t/err" 'the script wrote a file of its own to /etc/tool.conf, where one was lent'
  named grep -q 'of the base' /etc/tool.conf
  docker rmi -f "$image" >/dev/null
  base=e2e/$name:conf script 0 'grep index /etc/tool.conf >/srv/copy' --config-file "$t/tool.conf:/etc/tool.conf"
  docker rmi -f "$image" >/dev/null
  base=e2e/$name:conf script 3 true --config-file "$t/tool.conf:/etc/hosts"
  has "$t/err" 'the builder: /etc/hosts: '
  base=e2e/$name:conf script 1 'base64 /etc/tool.conf >/srv/copy' --config-file "$t/tool.conf:/etc/tool.conf"
  has "$t/err" srv/copy
  docker rmi -f "e2e/$name:conf" >/dev/null
  refused
}
# newest_layer IMAGE: what its newest layer holds: "MODE OWNER PATH", links with where they lead; sorted.
newest_layer() {
  docker save "$1" >"$t/saved.tar"
  tar -xOf "$t/saved.tar" "$(tar -xOf "$t/saved.tar" manifest.json | jq -r '.[0].Layers[-1]')" | zcat -f |
    tar --numeric-owner -tvf - | sed -E 's/ +[0-9]+ [0-9-]{10} [0-9:]{5}//' | LC_ALL=C sort -k 3
}
artifacts() {
  mkdir -p "$t/onto/data"
  engine_busybox_tree "$t/onto"
  chown 7:8 "$t/onto/data"
  chmod 2751 "$t/onto/data"
  ln -s data "$t/onto/way"
  engine_base "e2e/$name:onto" "$t/onto" 'ENV PATH=/bin' 'CMD ["app"]' 'VOLUME /data'
  local onto=(--user 0 --onto "e2e/$name:onto")
  script 0 'mkdir -p out /opt/lib; printf "#!/bin/sh\necho built\n" >out/app; chown 12:34 out/app; chmod 4755 out/app
echo a >out/a.conf; ln out/a.conf out/b.conf; ln -s /etc/shadow out/link; mkfifo out/pipe; chown 5:6 out; chmod 2750 out
touch /opt/compiler; echo x >/opt/lib/x.so; ln -s lib /opt/lib64' "${onto[@]}" \
    --artifact out/app:/bin/app --artifact out/app:/way/ --artifact out:/srv --artifact '/opt/lib64/*.so:/home/dev'
  newest_layer "$image" >"$t/layer"
  cat >"$t/want" <<'LAYER'
drwxr-xr-x 0/0 bin/
-rwsr-xr-x 12/34 bin/app
drwxr-s--x 7/8 data/
-rwsr-xr-x 12/34 data/app
drwxr-xr-x 0/0 home/
drwxr-xr-x 1000/1000 home/dev/
-rw-r--r-- 0/0 home/dev/x.so
drwxr-s--- 5/6 srv/
-rw-r--r-- 0/0 srv/a.conf
-rwsr-xr-x 12/34 srv/app
hrw-r--r-- 0/0 srv/b.conf link to srv/a.conf
lrwxrwxrwx 0/0 srv/link -> /etc/shadow
prw-r--r-- 0/0 srv/pipe
LAYER
  diff "$t/want" "$t/layer" || fail 'the layer holds something else'
  named app
  docker rmi -f "$image" >/dev/null
  # What is mounted in the builder is not the builder's: no secret by a link, nothing of the engine's.
  script 3 'ln -s /dev/imgbuild/secrets /way; ln -s /proc/self /me' "${onto[@]}" --secret "id=s,src=$t/secret" --artifact /way/s:/x
  has "$t/err" 'artifact /way/s:/x: the builder has none'
  script 3 'ln -s /proc/self /me' "${onto[@]}" --artifact /me/status:/x
  has "$t/err" 'artifact /me/status:/x: the builder has none'
  script 1 'cp "$BUILD_SECRETS/s" out' "${onto[@]}" --secret "id=s,src=$t/secret" --artifact out:/srv/
  has "$t/err" srv/out
  docker rmi -f "e2e/$name:onto" >/dev/null
  refused
}
caches() {
  local cache=engines-$$
  script 0 'echo kept >$BUILD_CACHE/'$cache'/file; echo ships >/srv-new' --cache "$cache"
  layer_paths "$image" >"$t/paths"
  hasnt "$t/paths" cache
  docker rmi -f "$image" >/dev/null
  script 0 'test $(cat $BUILD_CACHE/'$cache'/file) = kept; cp "$BUILD_SECRETS/s" $BUILD_CACHE/'$cache --cache "$cache" --user dev --secret "id=s,src=$t/secret"
  has "$t/err" "the cache $cache held a secret of this build (s), and was emptied"
  docker rmi -f "$image" >/dev/null
  script 0 'test -z "$(ls $BUILD_CACHE/'$cache')"' --cache "$cache" --label again=yes
  docker volume rm "imgbuild-cache-$cache" >/dev/null
  nothing_left
}
# By flags, and by a configuration of the user's.
limits() {
  local script='cat /etc/hosts; for file in memory.max memory/memory.limit_in_bytes cpu.max cpu/cpu.cfs_quota_us; do
  [ ! -e /sys/fs/cgroup/$file ] || echo "$file: $(cat /sys/fs/cgroup/$file)"; done'
  mkdir -p "$t/mine/imgbuild"
  printf 'memory = "100m"\ncpus = "0.5"\nadd_hosts = ["db.internal:10.9.8.7"]\n' >"$t/mine/imgbuild/config.toml"
  for flags in "--memory 100m --cpus 0.5 --add-host db.internal:10.9.8.7" ""; do
    [ -n "$flags" ] || export XDG_CONFIG_HOME=$t/mine
    # shellcheck disable=SC2086 # words
    script 0 "$script" --no-cache $flags
    grep -q '10.9.8.7.*db.internal' "$t/err" || fail "the name is not there: $flags"
    grep -qE '^memory.*: 104857600$' "$t/err" || fail "no limit of memory: $flags"
    grep -qE '^cpu.max: 50000 100000$|^cpu/.*: 50000$' "$t/err" || fail "no limit of processors: $flags"
    docker rmi -f "$image" >/dev/null
  done
  script 4 'dd if=/dev/zero of=/dev/null bs=300M count=1' --memory 50m
  nothing_left
}
# is_written TAR PATH OWNER: the tar is a file system with that file, and the archives beside it are the image that was
# audited.
is_written() {
  local archive
  tar --numeric-owner -tvf "$1" >"$t/list"
  grep -qE "^-.* $3 .* $2\$" "$t/list" || { cat "$t/list"; fail "not in the tar: $2"; }
  ! grep -qE ' (\.dockerenv|dev/pts)' "$t/list" || fail "something of the engine's is in the tar"
  for archive in "$t/oci.tar" "$t/docker.tar"; do
    ran 0 "$IMGBUILD" audit --format json "archive:$archive"
    [ "$(jq -r '.images[0].id' "$t/out")" = "$(jq -r '.images[0].id' "$t/report.json")" ] || fail "$archive is another image"
  done
}
# What was cleared leaves the engine as files, as a tar and as archives, and no image stays; also where the engine's own
# files cannot be read.
outputs() {
  local road
  for road in read saved; do
    local by=(env)
    [ $road = read ] || by=("${hide[@]}")
    ran 0 "${by[@]}" "$IMGBUILD" build "$t/app" --from $busybox --network host --no-cache -o "$t/files.d" -o "type=tar,dest=$t/fs.tar" \
      -o "type=oci,dest=$t/oci.tar" -o "type=docker,dest=$t/docker.tar,compression=uncompressed" --report "$t/report.json" \
      -- sh -c 'mkdir -p /opt; cp hello /opt/hello; chown 7:8 /opt/hello; rm /etc/group'
    is_written "$t/fs.tar" opt/hello 7/8
    [ "$(cat "$t/files.d/opt/hello")" = hello ] && [ ! -e "$t/files.d/etc/group" ] || fail "not the files of the image ($road)"
    rm -r "$t/files.d"
    nothing_left
  done
  ran 1 "$IMGBUILD" build "$t/app" --from $busybox --network host -o "$t/leak.d" -o - -- sh -c "$make_key"
  [ ! -e "$t/leak.d" ] && [ ! -s "$t/out" ] || fail 'a leak was written'
  nothing_left
}
audit_by_name() {
  script 0 'echo more >/srv-more'
  ran 0 "$IMGBUILD" audit --no-cache --format json "$image"
  [ "$(jq -r '.images[0].verdict' "$t/out")" = clean ] || fail 'not clean'
  [ "$(jq -r '.images | length' "$t/out")" = 1 ] || fail 'not one image'
  ran 0 "$IMGBUILD" audit --quiet "$image"
  ran 3 "$IMGBUILD" audit "e2e/$name:none"
}
audit_cached() {
  script 0 'echo more >/srv-more'
  ran 0 "$IMGBUILD" audit --format json "$image"
  ran 0 "$IMGBUILD" audit --format json "$image"
  [ "$(jq -c '.images[0].coverage | [.layers, .layers_cached]' "$t/out")" = '[2,2]' ] || fail "read again: $(jq -c .images[0].coverage "$t/out")"
  # A rebuild reads what is new in it.
  docker rmi -f "$image" >/dev/null
  script 0 'echo other >/srv-other'
  [ "$(jq -c '.images[0].coverage | [.layers, .layers_cached]' "$t/report.json")" = '[2,1]' ] || fail 'a rebuild read its base again'
}
# Where the engine's own files are not to be seen.
engine_files=$ENGINE_DIR/data
[ "$ENGINE" != newest ] || engine_files=$ENGINE_DIR/croot
[ "$ENGINE" != podman ] || engine_files=$ENGINE_DIR/root
# shellcheck disable=SC2016 # the inner shell expands them
hide=(unshare -m --propagation private sh -c 'mount -t tmpfs none "$1" && shift && exec "$@"' - "$engine_files")
# Everything comes from what it saves then, and is the same.
hidden() {
  local facts='.images[0] | [.id, .verdict, .layers, .coverage.entries, .coverage.archives]'
  ran 0 "${hide[@]}" "$IMGBUILD" build "$t/app" --from $busybox -t "$image" --secret "id=s,src=$t/secret" -- sh -c 'mkdir -p /opt; tar -czf /opt/a.tgz hello'
  ran 0 "${hide[@]}" "$IMGBUILD" audit --no-cache --format json "$image"
  jq "$facts" "$t/out" >"$t/saved"
  ran 0 "$IMGBUILD" audit --no-cache --format json "$image"
  jq "$facts" "$t/out" | diff "$t/saved" - || fail "the engine's files say something else than what it saves"
  ran 0 "${hide[@]}" "$IMGBUILD" push --no-cache "$image" "$registry/e2e/hidden:1"
  docker rmi -f "$image" >/dev/null
  nothing_left
}
# What is asked of the engine from here on is noted.
counted() {
  : >"$t/asked"
  rm -f "$t/road.sock"
  python3 "$SOURCE/test/e2e/_counted.py" "$t/road.sock" "$ENGINE_SOCKET" "$t/asked" &
  eventually test -S "$t/road.sock" || fail 'there is no road'
}
# audits STATUS SAVES IMAGE: one that is saved so many times for it.
audits() {
  : >"$t/asked"
  ran "$1" env DOCKER_HOST="unix://$t/road.sock" "${hide[@]}" "$IMGBUILD" audit --format json "${@:3}"
  [ "$(grep -c '/get' "$t/asked")" = "$2" ] || { cat "$t/asked"; fail "saved not $2 times: ${*:3}"; }
}
# A helper reads the engine's files, wherever its containerd keeps them: nothing is saved.
helped() {
  local facts='.images[0] | [.id, .verdict, .layers, .coverage.entries, .coverage.bytes]'
  counted
  ran 0 "$IMGBUILD" audit --no-cache --format json "$busybox"
  jq "$facts" "$t/out" >"$t/read"
  audits 0 0 --no-cache --engine-helper "$busybox"
  hasnt "$t/err" warning
  jq "$facts" "$t/out" | diff "$t/read" - || fail 'the helper shows another image'
  nothing_left
}
# Nothing is saved for an image that was audited before, by whoever cannot read the engine's files.
remembered() {
  local facts='.images[0] | [.id, .platform, .verdict, .layers, .coverage.entries, .coverage.bytes]'
  counted
  script 0 'echo more >/srv-more' --image-env "MARK=$RANDOM$RANDOM"
  (hide=(env) && audits 0 0 --no-cache "$image") # by whoever can, they are
  rm -rf "$XDG_CACHE_HOME"
  audits 0 1 "$image"
  jq "$facts" "$t/out" >"$t/saved"
  audits 0 0 "$image"
  jq "$facts" "$t/out" | diff "$t/saved" - || fail 'what is remembered says something else'
  [ "$(jq -c '.images[0].coverage | [.layers, .layers_cached]' "$t/out")" = '[2,2]' ] || fail 'not all layers are remembered'
  audits 0 1 --no-cache "$image"
  ran 0 "$IMGBUILD" cache verify
  local record
  for record in "$XDG_CACHE_HOME"/imgbuild/layers/*; do # the documents alone are text
    [ "$(head -c 1 "$record")" != '{' ] || printf x | dd of="$record" bs=1 seek=20 conv=notrunc status=none
  done
  ran 3 "$IMGBUILD" cache verify
  audits 0 1 "$image"
  audits 0 0 "$image"
  ran 0 "$IMGBUILD" cache prune --all
  audits 0 1 "$image"
  # A config with a secret in it is not written down, and looked at each time.
  docker rmi -f "$image" >/dev/null
  local token="glpat-$(head -c 15 /dev/urandom | base64 | tr '+/' xy)"
  "$IMGBUILD" build "$t/app" --from $busybox --keep -t "$image" --image-env "TOKEN=$token" -- true >"$t/out" 2>"$t/err" || true
  local kept
  kept=$(sed -n 's/.*kept \(sha256:[0-9a-f]*\).*/\1/p' "$t/err" | head -n 1)
  audits 1 1 "docker:$kept"
  audits 1 1 "docker:$kept"
  ! grep -rqF "$token" "$XDG_CACHE_HOME" || fail 'the secret is in the cache'
  docker rmi -f "$kept" >/dev/null
  rm -rf "$XDG_CACHE_HOME"
}
# What a push would send with it is looked at as well: attestations, and other platforms as soon as they are there.
remembered_index() {
  local token="glpat-$(head -c 15 /dev/urandom | base64 | tr '+/' xy)" index="$SOURCE/test/e2e/_index.py"
  counted
  docker save "$busybox" >"$t/saved.tar"
  python3 "$index" "$t/saved.tar" "$image" nothing "$t/ours.tar" "$t/both.tar" 2>"$t/err" && docker load -q -i "$t/ours.tar" >"$t/out" 2>"$t/err" &&
    [ "$(docker image inspect "$image" | jq -r '.[0].Descriptor.mediaType')" = application/vnd.oci.image.index.v1+json ] ||
    cannot 'it keeps no index of an image'
  audits 0 1 "$image"
  audits 0 0 "$image"
  [ "$(jq -c '[.images[].platform]' "$t/out")" = '["linux/amd64"]' ] || fail 'not the one platform that is there'
  docker load -q -i "$t/both.tar" >/dev/null
  audits 0 1 "$image"
  audits 0 0 "$image"
  [ "$(jq -c '[.images[].platform] | sort' "$t/out")" = '["linux/amd64","linux/s390x"]' ] || fail 'not both platforms'
  docker rmi -f "$image" >/dev/null
  python3 "$index" "$t/saved.tar" "$image" "TOKEN=$token" "$t/ours.tar" "$t/both.tar"
  docker load -q -i "$t/ours.tar" >/dev/null
  audits 1 1 "$image"
  audits 1 1 "$image"
  ! grep -rqF "$token" "$XDG_CACHE_HOME" || fail 'the secret is in the cache'
}
pushed() {
  script 0 'echo more >/srv-more'
  ran 0 "$IMGBUILD" push "$image" "$registry/e2e/app:1"
  has "$t/err" 'sent 2 of 2 layers'
  ran 0 "$IMGBUILD" audit --no-cache --format json "registry:$registry/e2e/app:1"
  [ "$(jq -r '.images[0].id' "$t/out")" = "$(jq -r '.images[0].id' "$t/report.json")" ] || fail 'another image arrived'
  ran 0 "$IMGBUILD" push "$image" "$registry/e2e/app:1"
  has "$t/err" 'sent 0 of 2 layers'
}
no_builder() { [ -z "$(docker ps -aq --filter label=imgbuild.build)" ]; }
# By the build itself, once the image is cleared; what is refused does not leave the engine.
build_pushed() {
  local name=$registry/e2e/built:1 build=("$IMGBUILD" build "$t/app" --from $busybox --network host --push)
  ran 0 "${build[@]}" -t "$name" -t "$registry/e2e/twice:1" -- sh -c 'echo more >/srv-more'
  has "$t/err" "pushed $registry/e2e/built:1, sent 2 of 2 layers"
  docker image inspect "$name" >/dev/null
  ran 0 "$IMGBUILD" audit --format json "registry:$name"
  jq -r '.images[0].id' "$t/out" >"$t/id"
  ran 0 "$IMGBUILD" audit --format json "registry:$registry/e2e/twice:1"
  jq -r '.images[0].id' "$t/out" | diff "$t/id" - || fail 'two images were pushed'
  docker rmi -f "$name" "$registry/e2e/twice:1" >/dev/null
  ran 1 "${build[@]}" -t "$registry/e2e/leak:1" -- sh -c "$make_key"
  hasnt "$t/err" pushed
  ran 3 "$IMGBUILD" audit "registry:$registry/e2e/leak:1"
  nothing_left
}
interrupted() {
  printf 'echo started\nsleep 60\n' >"$t/script.sh"
  local signal want got pid
  for signal in INT KILL; do
    [ $signal = INT ] && want=130 || want=137
    # A shell's background jobs are made to ignore SIGINT.
    env --default-signal=INT "$IMGBUILD" build "$t/app" --from $busybox --run "$t/script.sh" -t "$image" --secret "id=s,src=$t/secret" >"$t/out" 2>"$t/err" &
    pid=$!
    until_said started
    kill -$signal "$pid"
    got=0
    wait "$pid" || got=$?
    [ $got = $want ] || fail "SIG$signal: exit status $got"
    [ $signal = INT ] || eventually no_builder || fail 'the killed build is still there'
    no_image "$image"
    nothing_left
  done
  ran 0 "$IMGBUILD" gc
}
# What a build that was killed between its steps leaves, made by hand: gc finds it.
collected() {
  local container
  container=$(docker create --label imgbuild.build=gone $busybox true)
  "$IMGBUILD" build "$t/app" --from $busybox --keep -t "$image" -- sh -c "$make_key" >"$t/out" 2>"$t/err" || true
  has "$t/err" 'kept sha256:'
  docker start "$container" >/dev/null
  docker wait "$container" >/dev/null
  ran 0 "$IMGBUILD" gc --all
  nothing_left
}

engine_base_debian
ssh_up "$t/ssh"
ssh_repository app
git_up "$t/forge"
git_repository lib
grant=(--ssh "$SSH_USER@127.0.0.1:$SSH_PORT" --ssh-key "$SSH_DIR/user_key.pub" --known-host "[127.0.0.1]:$SSH_PORT $HOST_FINGERPRINT")
chmod 711 "$t" "$SSH_DIR"
chmod 644 "$SSH_DIR/authorized_keys"
blobs=apart
registry=127.0.0.1:$(free_port)
registry_up engines "${registry#*:}" ''
engine_rest >"$t/rest"

failed=0
while read -r run case; do
  [[ $run =~ ${CASES:-} ]] || continue
  rm -f "$t/cannot"
  status=0
  set +e
  (
    set -euo pipefail
    trap end_jobs EXIT
    "$run"
  ) >"$t/case" 2>&1 </dev/null
  status=$?
  set -e
  docker rmi -f "$image" >/dev/null 2>&1 || true
  rm -f "$t/app/Dockerfile"
  if [ $status = 0 ]; then
    result=ok
  elif [ $status = 77 ]; then
    result=$(cat "$t/cannot")
  else
    result=FAILED
    failed=1
    sed "s/^/$case: /" "$t/case"
  fi
  printf '%s\t%s\n' "$case" "$result" >>"$RESULTS"
done <<'CASES'
script_clean a script builds
script_nothing a script that changes nothing
script_leak a key in a layer is refused
deleted_key a deleted key is refused
env_leak a password in ENV is refused
ssh_clone a script clones by ssh, for the granted user only
secrets a script uses a secret, a copy is refused
config_files a lent file is there, and the image as if it had not been
dockerfile_clean a Dockerfile builds
dockerfile_leak a key in a Dockerfile's layer is refused
dockerfile_ssh a Dockerfile clones by ssh
dockerfile_secret a Dockerfile uses a secret, a copy is refused
dockerfile_git a Dockerfile ADDs a private repository
artifacts files of the builder go onto another image, with their owners
squashed a Dockerfile's layers are made one
outputs what a script made is written to files, tars, archives, once cleared
dockerfile_outputs what a Dockerfile made, too; of a leak nothing
caches a cache stays, a secret in it does not
limits a name, a limit of memory, one of processors
audit_by_name audit by name
audit_cached a second audit reads nothing, a rebuild what is new
hidden without the engine's files: the same
helped without them, with a helper: nothing is saved
remembered without them: nothing is saved for a second audit
remembered_index nor for an index, unless more of it is there
pushed push
build_pushed a build that pushes: what was cleared, or nothing
dockerfile_cache a Dockerfile's cache goes with its image, and is used
interrupted interrupted, killed: nothing is left
collected gc finds the rest
CASES
exit $failed
