# A build that makes no sense is told so without an engine: exit 2, one line, nothing contacted.
. "$(dirname "$0")/_common.sh"
mkdir app
printf 'true\n' >build.sh
: >empty.sh
export DOCKER_HOST=unix://$t/no-engine.sock
good=(app --from base:1 --run build.sh -t app:1)
# wrong WORD FLAGS...: the flags are refused.
wrong() {
  local word=$1
  shift
  expect 2 "$IMGBUILD" build "$@"
  one_line "$word"
}
wrong 'no base image' app --run build.sh -t app:1
wrong 'nothing to run' app --from base:1 -t app:1
wrong 'no name for the image' app --from base:1 --run build.sh
wrong 'both --run and' "${good[@]}" -- true
wrong 'no command behind --' app --from base:1 -t app:1 --
wrong nowhere nowhere --from base:1 --run build.sh -t app:1
wrong missing.sh app --from base:1 --run missing.sh -t app:1
wrong 'is empty' app --from base:1 --run empty.sh -t app:1
wrong 'is a directory' app --from base:1 --run app -t app:1
for tag in 'UPPER' 'a:b:c' 'app@sha256:1' '-x' 'a//b' 'app:'; do
  wrong "no image's name" app --from base:1 --run build.sh "--tag=$tag"
done
wrong '--env: must be K=V' "${good[@]}" --env NOTHING
wrong 'is no name' "${good[@]}" --env '1A=x'
wrong '--label: must be K=V' "${good[@]}" --label x
wrong '--expose' "${good[@]}" --expose 80/http
wrong '--expose' "${good[@]}" --expose 99999
wrong '--timeout' "${good[@]}" --timeout soon
wrong '--fail-on' "${good[@]}" --fail-on always
wrong '--platform' "${good[@]}" --platform arm64
wrong '--image-workdir' "${good[@]}" --image-workdir here
wrong '--cache-to is for a Dockerfile' "${good[@]}" --cache-to inline
printf 'FROM base:1\n' >plain.dockerfile
wrong 'keeps it in the image only' app -f plain.dockerfile -t app:1 --cache-to type=registry,ref=cache:1
wrong 'there is no type zip' "${good[@]}" -o type=zip,dest=x
wrong 'type=tar knows no name' "${good[@]}" -o type=tar,dest=x,name=y
wrong 'is no folder' "${good[@]}" -o build.sh
wrong 'another --output goes there' "${good[@]}" -o out -o type=local,dest=./out
wrong "--output: name: UPPER: is no image's name" "${good[@]}" -o type=image,name=UPPER
wrong 'no name for the image' app --from base:1 --run build.sh -o type=image
wrong 'no name for the image' app --from base:1 --run build.sh -o out --push
wrong '--progress: must be auto, plain, tty, quiet or rawjson' "${good[@]}" --progress fancy
wrong 'cannot be written' "${good[@]}" --iidfile "$t/no/such/folder/iid"
wrong 'is a directory' "${good[@]}" --report "$t"
# A good one only then looks for the engine; a dry run does not even that.
expect 3 "$IMGBUILD" build "${good[@]}"
has "$t/err" no-engine.sock
expect 0 "$IMGBUILD" build "${good[@]}" --dry-run
[ -s "$t/out" ] || fail "a dry run says nothing"
expect 0 "$IMGBUILD" build app --from base:1 -t app:1 --dry-run -- sh -c 'echo "$1"' - --from
expect 0 "$IMGBUILD" build app --from base:1 --run build.sh --dry-run -o out -o type=oci,dest=- -o type=registry,name=team/app:2 -t app:1
has "$t/out" 'name it app:1, team/app:2, only if'
has "$t/out" 'write its file system to out'
has "$t/out" 'write it as an OCI layout to standard output'
has "$t/out" 'push team/app:2'
expect 0 "$IMGBUILD" build app --from base:1 --run build.sh --dry-run -o out
has "$t/out" 'without a name, and remove it then'
