# The files of two hundred programs that keep credentials: in each its secret is found, by the rule that knows it, and in
# those that keep theirs elsewhere nothing.
. "$(dirname "$0")/_common.sh"
python3 "$(dirname "$0")/_home.py" "$IMGBUILD" "$t/home" >"$t/out" || {
  cat "$t/out" >&2
  fail 'what lies in homes and projects is told wrong'
}
