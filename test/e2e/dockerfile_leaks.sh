# What a Dockerfile leaks is refused, before the build where that can be known, else after it, traced to its line; what
# stays in the build cache is said, or purged.
. "$(dirname "$0")/_common.sh"
token=$(printf 'Zq%s' "$(head -c 18 /dev/urandom | base64 | tr -dc 'A-Za-z0-9')")
printf '%s' "$token" >"$t/token"
mkdir "$t/app"
echo hello >"$t/app/hello"
dockerfile() { { printf 'FROM imgbuild-test/busybox:1\nENV MARK=%s\n' "$RANDOM$RANDOM"; cat; } >"$t/app/Dockerfile"; }
builds() {
  local want=$1
  shift
  docker rmi -f "e2e/$name:1" >/dev/null 2>&1 || true
  ran "$want" "$IMGBUILD" build "$t/app" -t "e2e/$name:1" --network host --report "$t/report.json" "$@"
  hasnt "$t/err" "$token"
  hasnt "$t/report.json" "$token"
}

# A secret is there while it is mounted, and gone in the image; what RUN prints of it is redacted.
dockerfile <<'END'
RUN --mount=type=secret,id=npm cat /run/secrets/npm && test -s /run/secrets/npm && wc -c </run/secrets/npm >/size
COPY hello /
END
builds 0 --secret id=npm,src="$t/token"
has "$t/err" "[redacted: secret npm]"
docker run --rm --network none "e2e/$name:1" sh -c 'test -s /size && ! test -s /run/secrets/npm'
docker rmi -f "e2e/$name:1" >/dev/null

# A copy of it in a layer is refused, also when a later line removes it, and the line is named.
dockerfile <<'END'
RUN --mount=type=secret,id=npm cp /run/secrets/npm /copy
RUN rm /copy
END
builds 1 --secret id=npm,src="$t/token"
no_image "e2e/$name:1"
has "$t/err" "Dockerfile:3: RUN --mount=type=secret,id=npm cp /run/secrets/npm /copy brought in"
has "$t/err" "docker builder prune --all --force --filter 'id="
nothing_left
# The command that is told removes it: afterwards a build of the same runs every line anew.
command=$(sed -n "s/.*would have: \(docker builder prune.*'\).*/\1/p" "$t/err")
eval "$command" >"$t/pruned"
docker system df -v --format '{{json .BuildCache}}' >"$t/cache"
for id in $(printf '%s' "$command" | sed "s/.*'id=\(.*\)'.*/\1/" | tr '|' ' '); do hasnt "$t/cache" "\"$id\""; done
builds 1 --secret id=npm,src="$t/token" --purge
has "$t/err" "purged "
[ "$(grep -c CACHED "$t/err")" -le 1 ] || fail "more than the base is remembered"
no_image "e2e/$name:1"
nothing_left
# --keep: without a name, until gc.
builds 1 --secret id=npm,src="$t/token" --keep --purge
has "$t/err" "nothing was named; kept sha256:"
no_image "e2e/$name:1"
ran 0 "$IMGBUILD" gc --all
nothing_left

# A key that is copied: withheld, and the line that asks for it named, before anything is built.
ssh-keygen -q -t ed25519 -N '' -f "$t/app/deploy_key" -C ''
dockerfile <<'END'
RUN echo not-reached
COPY hello deploy_key /root/
END
builds 1
has "$t/err" "Dockerfile:4"
has "$t/err" deploy_key
hasnt "$t/err" "not-reached"
# One that is in a folder stays behind, and the rest goes.
dockerfile <<'END'
COPY . /srv/
END
builds 0
has "$t/err" "Dockerfile:3: COPY . without a .dockerignore"
has "$t/err" "withheld deploy_key"
docker run --rm --network none "e2e/$name:1" sh -c 'test -s /srv/hello && ! test -e /srv/deploy_key'
docker rmi -f "e2e/$name:1" >/dev/null
# One that a RUN makes is found in the layer, and traced.
rm "$t/app/deploy_key" "$t/app/deploy_key.pub"
engine_base_debian
printf 'FROM imgbuild-test/debian:1 AS keys\nENV MARK=%s\nRUN ssh-keygen -q -t ed25519 -N "" -f /made\nFROM imgbuild-test/busybox:1\nCOPY hello /\nCOPY --from=keys /made /srv/made\n' "$RANDOM$RANDOM" >"$t/app/Dockerfile"
builds 1
has "$t/err" "Dockerfile:6: COPY --from=keys /made /srv/made brought in ssh.private-key: "
no_image "e2e/$name:1"
# The first stage alone has one as well; --target says which.
builds 1 --target keys
has "$t/err" "Dockerfile:3: RUN ssh-keygen"

# A build argument that is a credential would stay in the history: refused before the build.
dockerfile <<'END'
ARG VERSION
ARG TOKEN
RUN echo "v=$VERSION" >/version
END
builds 1 --build-arg VERSION=2 --build-arg "TOKEN=$token" --secret id=npm,src="$t/token"
has "$t/err" "--build-arg TOKEN"
hasnt "$t/err" "building Dockerfile"
key=ghp_$(head -c 60 /dev/urandom | base64 | tr -dc 'A-Za-z0-9' | head -c 10)
builds 0 --build-arg VERSION=2 --label team=a
[ "$(docker run --rm --network none "e2e/$name:1" cat /version)" = v=2 ] || fail "the build argument did not arrive"
[ "$(docker image inspect -f '{{json .Config.Labels}}' "e2e/$name:1")" = '{"team":"a"}' ] || fail "not the labels that were asked for"
# The variable of that name, where no value is said.
VERSION=3 builds 0 --build-arg VERSION
[ "$(docker run --rm --network none "e2e/$name:1" cat /version)" = v=3 ] || fail "the variable did not arrive"
nothing_left
