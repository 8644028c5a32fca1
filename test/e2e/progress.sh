# --progress of a Dockerfile: on a terminal a live view of the steps that run, of which a line each stays; elsewhere, and
# where plain is said, their output line by line. The log has that in any case, and no form has a secret.
. "$(dirname "$0")/_common.sh"
mkdir "$t/app"
secret="s$(head -c 15 /dev/urandom | od -An -tx1 | tr -d ' \n')T"
printf '%s' "$secret" >"$t/secret"
cat >"$t/watched.py" <<'PYTHON'
# Runs a command with a terminal of 60 columns as standard error; prints what stands on its screen at the end, and then
# how often something was drawn again.
import fcntl, os, pty, re, struct, subprocess, sys, termios
ours, theirs = pty.openpty()
fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 60, 0, 0))
child = subprocess.Popen(sys.argv[1:], stderr=theirs, stdout=subprocess.DEVNULL)
os.close(theirs)
seen = b""
try:
    while data := os.read(ours, 65536):
        seen += data
except OSError:
    pass
status = child.wait()
text = seen.decode()
open(os.environ["SEEN"], "w").write(text)
screen, row, again = [""], 0, 0
for piece in re.findall(r"\x1b\[\d*[A-Z]|\r?\n|\r|[^\x1b\r\n]+|\x1b", text):
    if move := re.fullmatch(r"\x1b\[(\d+)A", piece):
        row -= int(move[1])
        assert row >= 0, "above the screen"
        again += 1
    elif piece == "\x1b[J":
        del screen[row + 1:]
        screen[row] = ""
    elif piece.endswith("\n"):
        row += 1
        if row == len(screen):
            screen.append("")
    else:
        assert "\x1b" not in piece, repr(piece)
        screen[row] += piece
print("\n".join(screen))
print("drawn again", again)
sys.exit(status)
PYTHON
watched() { # watched STATUS FLAGS...: the screen is in $t/out
  local want=$1
  shift
  SEEN=$t/seen TERM=${TERM_IS:-xterm} ran "$want" python3 "$t/watched.py" "$IMGBUILD" build "$t/app" --network host -t "e2e/$name:1" --secret "id=s,src=$t/secret" "$@"
}
dockerfile() {
  printf 'FROM imgbuild-test/busybox:1\nENV MARK=%s\n%s\n' "$RANDOM$RANDOM" "$1" >"$t/app/Dockerfile"
  docker rmi -f "e2e/$name:1" >/dev/null 2>&1 || true
}
steps='RUN --mount=type=secret,id=s for i in 1 2 3 4 5 6 7 8 9; do echo "line-$i"; done; cat /run/secrets/s; sleep 1; printf "%0200d\n" 7
RUN echo second-printed'
dockerfile "$steps"
watched 0 --log "$t/logs"
grep -qE '^ => .*RUN echo second-printed +[0-9.]+s$' "$t/out" || { cat "$t/out"; fail 'a step that is over has no line'; }
hasnt "$t/out" line-9
hasnt "$t/out" ' => => '
has "$t/seen" ' => => line-9'
has "$t/seen" '[redacted: secret s]'
hasnt "$t/seen" "$secret"
hasnt "$t/seen" 0000000000000000000000000000000000000000000000000000000000000
grep -qx "imgbuild: named e2e/$name:1" "$t/out" || { cat "$t/out"; fail 'what is said besides is not on the screen'; }
[ "$(sed -n 's/^drawn again //p' "$t/out")" -ge 5 ] || fail 'nothing was drawn again while a step slept'
cat "$t"/logs/* >"$t/log"
grep -qE '^[^#]*#[0-9]+ [0-9.]+ line-9$' "$t/log" || { cat "$t/log"; fail 'the log has not what a step printed'; }
hasnt "$t/log" ' => '
hasnt "$t/log" "$secret"
# Of a step that fails all that it printed stays.
dockerfile 'RUN for i in 1 2 3 4 5 6 7 8 9; do echo "line-$i"; done; exit 7'
watched 4 --progress tty
has "$t/out" ' => ERROR '
has "$t/out" ' => => line-1'
has "$t/out" ' => => line-9'
has "$t/out" 'RUN failed: exit status 7'
# Where nothing can be drawn, or is not to be.
for how in 'TERM_IS=dumb --progress=tty' 'TERM_IS=xterm --progress=plain'; do
  dockerfile "$steps"
  (export "${how%% *}" && watched 0 "${how##* }")
  grep -qE '^#[0-9]+ [0-9.]+ line-9$' "$t/out" || { cat "$t/out"; fail "not plain: $how"; }
  has "$t/out" 'drawn again 0'
done
dockerfile "$steps"
ran 0 "$IMGBUILD" build "$t/app" --network host -t "e2e/$name:1" --secret "id=s,src=$t/secret" --progress tty
grep -qE '^#[0-9]+ [0-9.]+ line-9$' "$t/err" || fail 'not plain where there is no terminal'
hasnt "$t/err" "$(printf '\033')"
# rawjson: every line is BuildKit's status as its clients print it, our own talk too; the log has it as it was.
dockerfile "$steps
RUN exit 3"
ran 4 "$IMGBUILD" build "$t/app" --network host -t "e2e/$name:1" --secret "id=s,src=$t/secret" --progress rawjson --log "$t/jsonlogs"
cp "$t/err" "$t/json"
jq -se 'all(.[]; (.vertexes // .logs // .warnings) | type == "array")' "$t/json" >/dev/null || { cat "$t/err"; fail 'a line is no status'; }
jq -r 'select(.logs) | .logs[] | .data | @base64d' "$t/json" >"$t/said"
has "$t/said" line-9
has "$t/said" '[redacted: secret s]'
has "$t/said" 'imgbuild: staging'
hasnt "$t/said" "$secret"
jq -se '[.[].vertexes // [] | .[] | select(.completed and (.name | test("second-printed")))] | length == 1' "$t/json" >/dev/null || fail 'no step that is over'
jq -se '[.[].vertexes // [] | .[] | select(.error)] | length == 1' "$t/json" >/dev/null || fail 'no step that failed'
jq -se '([.[].logs // [] | .[].vertex] - [.[].vertexes // [] | .[].digest]) == []' "$t/json" >/dev/null || fail 'a log of no step'
cat "$t"/jsonlogs/* >"$t/log"
has "$t/log" line-9
hasnt "$t/log" vertexes
dockerfile "$steps"
watched 0 --progress quiet
hasnt "$t/out" line-9
hasnt "$t/out" ' => '
nothing_left
