# On a terminal one line tells how far the work is, and is gone at the end; elsewhere there is none.
. "$(dirname "$0")/_common.sh"
mkdir -p tree/srv
head -c 120000000 /dev/urandom >tree/srv/blob
layer l.tar tree
archive big.tar l.tar
expect 0 "$IMGBUILD" audit archive:big.tar --threads 1
is talk "" "$(cat "$t/err")"
TERM=xterm NO_COLOR=1 python3 - "$IMGBUILD" <<'PYTHON'
import os, pty, re, subprocess, sys
ours, theirs = pty.openpty()
child = subprocess.Popen([sys.argv[1], "audit", "archive:big.tar", "--threads", "1"], stderr=theirs, stdout=subprocess.DEVNULL)
os.close(theirs)
seen = b""
try:
    while data := os.read(ours, 65536):
        seen += data
except OSError:
    pass
assert child.wait() == 0
seen = seen.decode()
assert "\n" not in seen, seen
lines = seen.split("\r\x1b[K")
assert lines[-1] == "", lines[-1]
shown = [re.fullmatch(r"imgbuild: ([0-9.]+) MB(?: of ([0-9.]+) MB)? looked at(, [0-9.]+ MB/s)?(, (\d+ min )?\d+ s left)?", line) for line in lines[1:-1]]
assert shown and all(shown), lines
done = [float(match[1]) for match in shown]
assert done == sorted(done), done
assert done[-1] > 10, done
assert shown[0][2] == "120.0", shown[0][0]
assert "\x1b[3" not in seen  # no colour
PYTHON
