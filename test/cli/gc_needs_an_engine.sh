# gc with no engine: one line and what to do.
. "$(dirname "$0")/_common.sh"
expect 3 "$IMGBUILD" gc --engine "unix://$t/nowhere.sock"
one_line nowhere.sock
