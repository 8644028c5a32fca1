# --log journald, read back by journalctl: a real systemd-journald, alone and with a /run of its own.
. "$(dirname "$0")/_common.sh"
cannot() { echo "cannot be tested here: $*"; exit 77; }
journald=/lib/systemd/systemd-journald
[ -x $journald ] && command -v journalctl >/dev/null || cannot 'no systemd-journald (Debian: apt-get install systemd)'
mkdir "$t/app"
printf 'x\n' >"$t/app/x"
printf '%s\n' 0123456789abcdef0123456789abcdef >"$t/machine-id"
printf '[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=no\nRateLimitIntervalSec=0\n' >"$t/journald.conf"
# It listens at a fixed place below /run and writes there: that is a file system of its own, and the machine's is as it was.
cat >"$t/start.sh" <<'SCRIPT'
set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/journal /run/log/journal
mount --bind "$1/machine-id" /etc/machine-id
mount --bind "$1/journald.conf" /etc/systemd/journald.conf
exec "$2"
SCRIPT
unshare -m --propagation private sh "$t/start.sh" "$t" $journald </dev/null >"$t/journald.out" 2>&1 &
journal=$!
socket=/proc/$journal/root/run/systemd/journal/socket # as it looks from here
started $journal test -S "$socket" || cannot "systemd-journald does not start alone: $(tail -n 1 "$t/journald.out")"
# The journal's entries that match, one a line, long ones whole.
entries() { journalctl -D "/proc/$journal/root/run/log/journal" --no-pager -q --all -o json "$@"; }

printf 'h4Qw%s' 'Zt8LmP2xVb6NcR9k' >"$t/token"
cat >"$t/script.sh" <<'SCRIPT'
echo "first line"
echo "to standard error" >&2
i=0; while [ $i -lt 300 ]; do echo "line $i of many"; i=$((i+1)); done
head -c 20000 /dev/zero | tr '\0' w; echo
echo "an = sign, a field: _PID=1"
cat $BUILD_SECRETS/token; echo
logger -t backup -p daemon.err "the disk is full"
logger -t backup "the token is $(cat $BUILD_SECRETS/token)"
SCRIPT
# Where it listens by itself: the program sees the journal's own /run.
there=(nsenter -m/proc/$journal/ns/mnt --)
build=("$IMGBUILD" build "$t/app" --from imgbuild-test/busybox:1 --network host --secret "id=token,src=$t/token" -t "e2e/$name:1")
ran 0 "${there[@]}" "${build[@]}" --run "$t/script.sh" --log journald
all_there() { entries SYSLOG_IDENTIFIER=imgbuild | grep -q 'exit status 0'; }
eventually all_there || fail "not all that was logged has come"
# Every line that was printed is there, in order, a long one in pieces; what the script logged has its name and severity.
{ cat "$t/err" "$t/out"; echo "imgbuild: exit status 0"; } | fold -b -w 8000 >"$t/want"
entries SYSLOG_IDENTIFIER=imgbuild | jq -r .MESSAGE >"$t/got"
diff "$t/want" "$t/got" | cut -c 1-200 || fail "the journal has other lines than were printed"
entries SYSLOG_IDENTIFIER=backup | jq -r '[.PRIORITY, .SYSLOG_FACILITY, .MESSAGE] | join(" ")' >"$t/got"
has "$t/got" '3 3 the disk is full'
has "$t/got" '5 1 the token is [redacted: secret token]'
[ -z "$(entries SYSLOG_IDENTIFIER=imgbuild _PID=1)" ] || fail "a line became a field"
entries | grep -qF "$(cat "$t/token")" && fail "a secret reached the journal"
hasnt "$t/err" "were lost"
docker rmi "e2e/$name:1" >/dev/null

# What a build failed by is an error there: `journalctl -t imgbuild -p err` has it.
errors() { entries -p err SYSLOG_IDENTIFIER=imgbuild | jq -r .MESSAGE; }
[ -z "$(errors)" ] || fail "a build that went well has errors: $(errors)"
ran 4 "${build[@]}" --log "journald:$socket" -- sh -c 'exit 3'
ssh-keygen -q -t ed25519 -N '' -C '' -f "$t/key"
ran 1 "${build[@]}" --secret "id=key,src=$t/key" --log "journald:$socket" -- sh -c 'cp $BUILD_SECRETS/key /srv-key'
printf '%s\n' 'imgbuild: the script failed: exit status 3' 'imgbuild: exit status 4' 'imgbuild: nothing was named' 'imgbuild: exit status 1' >"$t/want"
told() { errors | diff "$t/want" - >"$t/difference"; }
eventually told || { cat "$t/difference"; fail "the errors are others"; }

# One that is gone stops no build.
kill $journal
wait $journal || true
ran 0 "${build[@]}" --log "journald:$socket" -- true
grep -qE 'warning: --log journald:.*: [0-9]+ lines of the log were lost' "$t/err" || fail "nothing told of a journal that is gone"
nothing_left
