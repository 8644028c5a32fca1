# A dry run of a Dockerfile refuses what the build would refuse before it asks an engine, and tells its lines that leak.
. "$(dirname "$0")/_common.sh"
export DOCKER_HOST=unix://$t/no-engine.sock
mkdir app
build=("$IMGBUILD" build app -t app:1 --dry-run)
echo x >app/main.c
printf 'FROM base:1\nCOPY main.c /srv/\n' >app/Dockerfile
expect 0 "${build[@]}"
has "$t/out" 'have the engine build Dockerfile'
hasnt "$t/err" warning
# Lines that tend to leak are told.
printf 'FROM base:1\nCOPY . /srv/\nRUN ssh-keyscan github.com >/root/.ssh/known_hosts\n' >app/Dockerfile
expect 0 "${build[@]}"
has "$t/err" 'Dockerfile:3: '
has "$t/err" 'better: '
# What is withheld cannot be copied.
make_key app/deploy.pem
printf 'FROM base:1\nCOPY main.c deploy.pem /srv/\n' >app/Dockerfile
expect 1 "${build[@]}"
has "$t/err" 'Dockerfile:2: '
has "$t/err" 'COPY of deploy.pem, which is withheld'
[ ! -s "$t/out" ] || fail 'a refused build has steps'
# A credential in the text, and in an argument; one that lies elsewhere is told by the name that was said.
token=$(make_token)
mkdir elsewhere
printf 'FROM base:1\nENV NPM_TOKEN=%s\n' "$token" >elsewhere/Dockerfile
expect 1 "${build[@]}" -f elsewhere/Dockerfile
has "$t/err" 'elsewhere/Dockerfile:2'
hasnt "$t/err" imgbuild.dockerfile
hasnt "$t/err" "$token"
(cd app && expect 1 "$IMGBUILD" build . -t app:1 --dry-run -f ../elsewhere/Dockerfile)
has "$t/err" '../elsewhere/Dockerfile:2'
expect 1 "${build[@]}" -f - <elsewhere/Dockerfile
has "$t/err" 'standard input:2'
printf 'FROM base:1\n' >app/Dockerfile
expect 1 "${build[@]}" --build-arg "TOKEN=$token"
has "$t/err" '--build-arg TOKEN'
# What no build could come of.
expect 2 "${build[@]}" --target nowhere
one_line 'has no stage nowhere'
printf 'RUN true\n' >app/Dockerfile
expect 2 "${build[@]}"
one_line 'has no FROM'
