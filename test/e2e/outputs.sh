# -o: what was cleared is written as `docker build -o` writes it: its file system to a folder or a tar, the image for
# `docker load` or as an OCI layout; nothing before it was cleared, nothing where it is not, and nothing outside.
. "$(dirname "$0")/_common.sh"
mkdir "$t/app"
echo kept >"$t/app/file"
cat >"$t/app/Dockerfile" <<'DOCKERFILE'
FROM imgbuild-test/busybox:1
COPY file /srv/file
RUN mkdir -p /big /etc/deep/er && dd if=/dev/zero of=/big/blob bs=1M count=3 && echo 1 >/srv/a && ln /srv/a /srv/b && ln -s /etc/passwd /srv/l && chmod 4711 /srv/a && touch /srv/.wh
RUN rm -r /big && rm /etc/group && echo over >/srv/file && chown 5:6 /srv/file && chmod 2750 /etc/deep && mkfifo /srv/pipe
RUN rm -r /home && mkdir /home && echo new >/home/new && ln -s /nowhere /bin/zz
CMD ["cat", "/srv/file"]
DOCKERFILE
build=("$IMGBUILD" build "$t/app" --network host)
# What the engine itself puts into a container is not looked at.
engines='^(dev|proc|sys|run|etc/(hosts|hostname|resolv\.conf|mtab)|\.dockerenv)(/|$)'
# listed: of a tar on standard input "PATH MODE OWNER SIZE LINK" of each member, sorted; a hard link as the file it is.
cat >"$t/listed.py" <<'PYTHON'
import sys, tarfile, re
members = {}
with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as tar:
    for m in tar:
        path = m.name.removeprefix("./").rstrip("/")
        members[path] = m
for path, m in sorted(members.items()):
    if path in ("", ".", "etc") or re.match(sys.argv[1], path):
        continue
    real = members[m.linkname.removeprefix("./")] if m.islnk() else m
    print(path, real.type, oct(m.mode & 0o7777), f"{m.uid}:{m.gid}", real.size, m.linkname if m.issym() else "", m.mtime if not m.isdir() else "")
PYTHON
listed() { python3 "$t/listed.py" "$engines"; }
exported() { # of a container of the image, as the engine has it
  docker create --name "outputs-$$" "$1" >/dev/null
  docker export "outputs-$$" | listed
  docker rm "outputs-$$" >/dev/null
}

# With a name: the image is in the engine, and everywhere else.
ran 0 "${build[@]}" -t "e2e/$name:1" -o "$t/out.d" -o "type=tar,dest=$t/fs.tar" -o "type=docker,dest=$t/docker.tar" \
  -o "type=oci,dest=$t/oci.tar,name=team/other:2" -o "type=oci,tar=false,dest=$t/oci.d" -o "type=docker,tar=false,dest=$t/docker.d" -o "type=docker,dest=$t/plain.tar,compression=uncompressed" --report "$t/report.json"
id=$(jq -r '.images[0].id' "$t/report.json")
has "$t/err" "wrote $t/fs.tar ("
has "$t/err" "files ("
has "$t/err" "warning: devices and pipes are not written to a folder: srv/pipe"
exported "e2e/$name:1" >"$t/want"
listed <"$t/fs.tar" >"$t/got"
diff "$t/want" "$t/got" || fail "the tar is not the image's file system"
grep -q '^home/new ' "$t/got" || fail 'the list is no list'
! grep -qE '^(home/dev|big|etc/group) ' "$t/got" || fail 'what a layer deletes is there'
# The folder: the same but for what is the user's own.
tar -C "$t/out.d" -c . | listed | grep -v '^srv/pipe ' | sed -E 's/ 0o[0-9]* [0-9]+:[0-9]+ / /' >"$t/folder"
grep -v '^srv/pipe ' "$t/want" | sed -E 's/ 0o[0-9]* [0-9]+:[0-9]+ / /' | diff - "$t/folder" || fail "the folder is not the image's file system"
[ "$(stat -c '%u:%g %a' "$t/out.d/srv/file" "$t/out.d/srv/a" "$t/out.d/etc/deep" | tr '\n' ' ')" = '0:0 644 0:0 711 0:0 750 ' ] || fail "not the user's own: $(stat -c '%u:%g %a' "$t/out.d"/srv/*)"
[ "$(stat -c %h "$t/out.d/srv/a")" = 2 ] || fail 'two names of one file are two files'
[ "$(cat "$t/out.d/srv/file")" = over ] || fail 'not what the last layer says'
# The archives are the image that was cleared, whoever reads them.
for file in docker.tar oci.tar plain.tar; do
  ran 0 "$IMGBUILD" audit --format json "archive:$t/$file"
  [ "$(jq -r '.images[0].id' "$t/out")" = "$id" ] || fail "$file is another image"
done
ran 0 "$IMGBUILD" audit "oci:$t/oci.tar:2"
ran 0 "$IMGBUILD" audit --format json "oci:$t/oci.d"
[ "$(jq -r '.images[0].id' "$t/out")" = "$id" ] || fail 'the folder is another image'
skopeo inspect --config --raw "oci:$t/oci.d:1" | sha256sum | grep -q "^${id#sha256:} " || fail 'skopeo sees another image in the folder'
[ "$(cd "$t/oci.d" && find . -type f | sort | sed 's/[0-9a-f]\{64\}/D/' | uniq)" = './blobs/sha256/D
./index.json
./oci-layout' ] || fail 'not a layout, or more than one'
[ "$(jq -r '.[0].RepoTags[0]' "$t/docker.d/manifest.json")" = "docker.io/e2e/$name:1" ] || fail 'no manifest.json of its own'
ran 2 "${build[@]}" -o "type=oci,tar=false,dest=$t/oci.d"
has "$t/err" 'is not empty'
tar -xOf "$t/plain.tar" manifest.json | jq -r '.[0].Layers[]' >"$t/blobs"
while read -r blob; do tar -xOf "$t/plain.tar" "$blob" | tar -t >/dev/null || fail "$blob is no tar"; done <"$t/blobs"
docker rmi -f "e2e/$name:1" >/dev/null
for file in docker.tar plain.tar; do
  docker load -q -i "$t/$file" >"$t/out"
  has "$t/out" "e2e/$name:1"
  ran 0 "$IMGBUILD" audit --format json "docker:e2e/$name:1"
  [ "$(jq -r '.images[0].id' "$t/out")" = "$id" ] || fail "docker load made another image of $file"
  [ "$(docker run --rm --network none "e2e/$name:1")" = over ] || fail 'it does not run'
  docker rmi -f "e2e/$name:1" >/dev/null
done
nothing_left

# Without a name no image stays; a second time is over the first. -o - is a tar, and nothing else is on standard output.
ran 0 "${build[@]}" -o "$t/out.d"
hasnt "$t/err" named
nothing_left
ran 0 "${build[@]}" -o type=cacheonly
hasnt "$t/err" named
nothing_left
ran 0 "${build[@]}" -o -
listed <"$t/out" | sed 's/ [0-9]*$//' >"$t/got"
sed 's/ [0-9]*$//' "$t/want" | diff - "$t/got" || fail "standard output is not the image's file system"
nothing_left
ran 0 "$IMGBUILD" build "$t/app" --from imgbuild-test/busybox:1 --network host -o "$t/script.d" --iidfile "$t/iid" -- sh -c 'echo made >/made'
[ "$(cat "$t/script.d/made")" = made ] || fail 'a script made something else'
[ "$(cat "$t/iid")" = "$(cat "$t/out")" ] || fail 'not the id'
! docker image inspect "$(cat "$t/iid")" >/dev/null 2>&1 || fail 'the image is still there'
[ -z "$(find "$t/script.d" -name '.dockerenv')" ] || fail 'something of the engine is there'
nothing_left
# An equal build that was named is taken as it is, and stays.
ran 0 "$IMGBUILD" build "$t/app" --from imgbuild-test/busybox:1 --network none -t "e2e/$name:1" -- sh -c 'echo made >/made'
ran 0 "$IMGBUILD" build "$t/app" --from imgbuild-test/busybox:1 --network none -o "type=tar,dest=$t/again.tar" -- sh -c 'echo made >/made'
has "$t/err" 'unchanged since'
tar -xOf "$t/again.tar" made | grep -qx made || fail 'not the image that was there'
docker image inspect "e2e/$name:1" >/dev/null || fail 'it took somebody else'"'"'s image'
docker rmi -f "e2e/$name:1" >/dev/null

# A leak: nothing is written anywhere, what was there stays.
printf 'old\n' >"$t/old.tar"
ssh-keygen -q -t ed25519 -N '' -C '' -f "$t/key"
cp "$t/app/Dockerfile" "$t/good"
printf 'RUN --mount=type=secret,id=key cp /run/secrets/key /srv/key\n' >>"$t/app/Dockerfile"
ran 1 "${build[@]}" --secret "id=key,src=$t/key" -o "$t/leak.d" -o "type=tar,dest=$t/old.tar" -o "type=oci,dest=$t/leak.tar" -o type=docker,dest=-
[ ! -s "$t/out" ] || fail 'something went to standard output'
[ ! -e "$t/leak.d" ] && [ ! -e "$t/leak.tar" ] || fail 'a refused build has written something'
[ "$(cat "$t/old.tar")" = old ] || fail 'a refused build has overwritten something'
nothing_left
cp "$t/good" "$t/app/Dockerfile"

# A link that lies in the folder, and one that the image has, lead nowhere.
mkdir "$t/trap.d" "$t/outside"
ln -s "$t/outside" "$t/trap.d/srv"
ln -s "$t/outside/made" "$t/trap.d/link"
mkdir -p "$t/tree/bin"
cp /bin/busybox "$t/tree/bin/"
for applet in sh cat; do ln -s busybox "$t/tree/bin/$applet"; done
ln -s "$t/outside" "$t/tree/away"
ln -s / "$t/tree/root"
echo x >"$t/tree/link"
engine_base "e2e/$name:trap" "$t/tree" 'ENV PATH=/bin'
printf 'FROM e2e/%s:trap\nRUN echo y >/root/z && mkdir -p /srv && echo w >/srv/w\n' "$name" >"$t/app/Dockerfile"
ran 0 "${build[@]}" -o "$t/trap.d"
[ -z "$(ls -A "$t/outside")" ] || fail 'something was written outside'
[ "$(cat "$t/trap.d/z" "$t/trap.d/srv/w" "$t/trap.d/link" | tr '\n' ' ')" = 'y w x ' ] || fail 'not all is there'
[ "$(readlink "$t/trap.d/away")" = "$t/outside" ] || fail 'the link is not there'
docker rmi -f "e2e/$name:trap" >/dev/null
cp "$t/good" "$t/app/Dockerfile"

# Interrupted while it is written: no image; killed: gc finds it.
mkfifo "$t/pipe"
for signal in TERM KILL; do
  printf 'RUN echo %s >/mark; dd if=/dev/urandom of=/much bs=1M count=2\n' "$RANDOM$RANDOM" | cat "$t/good" - >"$t/app/Dockerfile"
  "${build[@]}" -o "type=oci,dest=$t/before.tar" -o "type=tar,dest=$t/pipe" >"$t/out" 2>"$t/err" &
  pid=$!
  exec 8<"$t/pipe" # comes back once somebody writes; nothing is taken from it
  until_said "wrote $t/before.tar"
  sleep 1
  kill -0 "$pid" 2>/dev/null || fail 'it did not wait'
  kill -$signal "$pid"
  got=0
  { wait "$pid" || got=$?; } 2>/dev/null
  exec 8<&-
  [ $got = $([ $signal = TERM ] && echo 143 || echo 137) ] || fail "exit status $got after SIG$signal"
  if [ $signal = KILL ]; then
    ran 0 "$IMGBUILD" gc
    has "$t/out" image
  fi
  nothing_left
done
cp "$t/good" "$t/app/Dockerfile"

# A place that cannot be written to is told before anything is built; a full disk is exit status 3.
ran 2 "${build[@]}" -o "type=tar,dest=$t/no/such/x.tar"
hasnt "$t/err" staging
ran 2 "${build[@]}" -o "type=zip,dest=$t/x"
has "$t/err" 'type=cacheonly, docker, image, local, oci, registry, tar'
ran 3 "${build[@]}" -o type=tar,dest=/dev/full
has "$t/err" 'output: /dev/full: '
nothing_left
# A dry run says it.
ran 0 "${build[@]}" -o "$t/dry.d" --dry-run
has "$t/out" "write its file system to $t/dry.d"
[ ! -e "$t/dry.d" ] || fail 'a dry run has written'
