# serve MODE...: starts _registry.py on the layout in app, as $target; stop: ends it. Log and words are in files.
registry_pid=''
stop() { [ -z "$registry_pid" ] || { kill "$registry_pid"; wait "$registry_pid" 2>/dev/null || true; registry_pid=''; }; }
serve() {
  stop
  rm -f port log
  python3 "$SOURCE/test/cli/_registry.py" app port log "$@" </dev/null >words 2>&1 &
  registry_pid=$!
  started $registry_pid test -s port || fail "the registry does not listen: $(cat words)"
  target=registry:127.0.0.1:$(cat port)/team/app
}
