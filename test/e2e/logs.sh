# --log: a file per build, a real rsyslogd over a socket, UDP and TCP; a script's own /dev/log; sinks that are gone or hang.
. "$(dirname "$0")/_common.sh"
command -v rsyslogd >/dev/null || { echo "no rsyslogd here (Debian: apt-get install rsyslog)"; exit 77; }
mkdir "$t/app" "$t/rsyslog"
printf 'x\n' >"$t/app/x"
port=$(free_port)
cat >"$t/rsyslog.conf" <<CONF
global(workDirectory="$t/rsyslog" maxMessageSize="16k")
module(load="imuxsock" SysSock.Use="off")
module(load="imudp")
module(load="imtcp")
template(name="all" type="string" string="%syslogseverity% %app-name%: %msg%\n")
ruleset(name="unix") { action(type="omfile" file="$t/rsyslog/unix" template="all") }
ruleset(name="udp") { action(type="omfile" file="$t/rsyslog/udp" template="all") }
ruleset(name="tcp") { action(type="omfile" file="$t/rsyslog/tcp" template="all") }
input(type="imuxsock" socket="$t/log" useSpecialParser="off" ruleset="unix" ratelimit.interval="0")
input(type="imudp" address="127.0.0.1" port="$port" ruleset="udp" rcvbufSize="8m")
input(type="imtcp" address="127.0.0.1" port="$port" ruleset="tcp")
CONF
rsyslogd -n -f "$t/rsyslog.conf" -i "$t/rsyslog.pid" >"$t/rsyslog.out" 2>&1 &
rsyslog=$!
listens() { [ -S "$t/log" ] && grep -q " 0100007F:$(printf %04X "$port") 00000000:0000 0A" /proc/net/tcp && grep -q " 0100007F:$(printf %04X "$port") " /proc/net/udp; }
started $rsyslog listens || { cat "$t/rsyslog.out"; fail "rsyslogd does not listen"; }

printf 'h4Qw%s' 'Zt8LmP2xVb6NcR9k' >"$t/token"
cat >"$t/script.sh" <<'SCRIPT'
echo "first line"
echo "to standard error" >&2
i=0; while [ $i -lt 300 ]; do echo "line $i of many"; i=$((i+1)); done
cat $BUILD_SECRETS/token; echo
logger -t backup -p user.err "the disk is full"
logger -t backup "the token is $(cat $BUILD_SECRETS/token)"
printf 'half a line'
SCRIPT
build=("$IMGBUILD" build "$t/app" --from imgbuild-test/busybox:1 --network host --secret "id=token,src=$t/token" -t "e2e/$name:1")
ran 0 "${build[@]}" --run "$t/script.sh" --log "$t/logs" --log "syslog:unix:$t/log" --log "syslog:udp:127.0.0.1:$port" --log "syslog:tcp:127.0.0.1:$port"
[ "$(ls "$t/logs" | wc -l)" = 1 ] || fail "not one file"
all_there() { [ "$(cat "$t"/rsyslog/{unix,udp,tcp} 2>/dev/null | grep -c 'exit status 0')" = 3 ]; }
eventually all_there || fail "not all that was logged has come"
# Every line that was printed is there, in order; what was logged has its own place among them.
{ cat "$t/err" "$t/out"; echo "imgbuild: exit status 0"; } >"$t/want"
cut -d' ' -f2- "$t"/logs/*.log | grep -v '^backup: ' >"$t/got"
diff "$t/want" "$t/got" || fail "the file has other lines than were printed"
for way in unix udp tcp; do
  grep -v '^. backup: ' "$t/rsyslog/$way" | sed 's/^. imgbuild: *//' >"$t/got"
  diff "$t/want" "$t/got" || fail "syslog by $way has other lines than were printed"
  has "$t/rsyslog/$way" '3 backup: the disk is full'
  has "$t/rsyslog/$way" 'backup: the token is [redacted: secret token]'
done
! grep -rqF "$(cat "$t/token")" "$t/logs" "$t/rsyslog" || fail "a secret reached a log"
hasnt "$t/err" "were lost"
[ "$(layer_paths "e2e/$name:1" | grep -c '^dev/.')" = 0 ] || fail "/dev/log shipped"
docker rmi "e2e/$name:1" >/dev/null

# A server that goes away in the middle, one that was never there, one that hangs: the build ends as ever, and says so.
mkfifo "$t/go"
python3 - "$t/hang" "$t/port" <<'PY' >"$t/hang.out" 2>&1 &
import socket, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1])
l = socket.socket(); l.bind(("127.0.0.1", 0)); l.listen(1); open(sys.argv[2], "w").write(str(l.getsockname()[1]))
c, _ = l.accept(); c.recv(100); c.close(); l.close()
time.sleep(60)
PY
hang=$!
started $hang test -s "$t/port" || fail "the server that hangs does not listen"
began=$(date +%s)
ran 0 "${build[@]}" --log "syslog:unix:$t/hang" --log "syslog:unix:$t/nobody" --log "syslog:tcp:127.0.0.1:$(cat "$t/port")" --log journald:"$t/none" -- \
  sh -c 'i=0; while [ $i -lt 2000 ]; do echo "line $i"; i=$((i+1)); done; sleep 1; echo end'
[ $(($(date +%s) - began)) -lt 60 ] || fail "a sink held the build up"
for sink in "$t/hang" "$t/nobody" "syslog:tcp:" "$t/none"; do
  grep -F -- "$sink" "$t/err" | grep -qE 'warning: --log .*: [0-9]+ lines of the log were lost \(' || { tail -n 5 "$t/err"; fail "nothing told of $sink"; }
done
[ "$(docker image inspect -f '{{.Id}}' "e2e/$name:1")" = "$(cat "$t/out")" ] || fail "the image has no name"
kill "$hang" 2>/dev/null || true
docker rmi "e2e/$name:1" >/dev/null

# A failure is in the log too, with the status; files are rotated by number and by size.
ran 4 "${build[@]}" --log "$t/logs" -- false
tail -n 1 "$(ls -t "$t"/logs/*.log | head -n 1)" | grep -q 'exit status 4' || fail "the status is not in the log"
for _ in 1 2 3; do ran 4 "${build[@]}" --log "$t/logs" --log-keep 2 --log-size 2kB -- sh -c 'seq 1 500; exit 3'; done
[ "$(ls "$t/logs" | wc -l)" = 2 ] || fail "not two files: $(ls "$t/logs")"
[ -z "$(find "$t/logs" -type f -size +2000c)" ] || fail "a file is too large"
ran 2 "${build[@]}" --log syslog:tcp:nowhere -- true
ran 2 "${build[@]}" --log "$t/token" -- true
# Without --log nobody listens at /dev/log.
ran 0 "${build[@]}" -- sh -c 'test ! -e /dev/log'
nothing_left
