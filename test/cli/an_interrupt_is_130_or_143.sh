# A signal ends an audit at once with 130 or 143, and with nothing on standard output.
. "$(dirname "$0")/_common.sh"
mkdir tree
head -c 3000000 /dev/urandom >tree/data
layer l.tar tree
archive whole.tar l.tar
for pair in INT:130 TERM:143; do
  mkfifo pipe
  # Job control off makes a background job ignore SIGINT: python gives it back.
  python3 -c 'import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])' \
    "$IMGBUILD" audit - <pipe 9>&- >"$t/out" 2>"$t/err" &
  pid=$!
  exec 9>pipe
  head -c 100000 whole.tar >&9
  sleep 1
  kill -"${pair%:*}" $pid
  got=0
  wait $pid || got=$? # the pipe is still open: nothing but the signal ends it
  exec 9>&-
  is "status after SIG${pair%:*}" "${pair#*:}" $got
  is "standard output" "" "$(cat "$t/out")"
  rm pipe
done
