# The command sees an agent that lists only what was granted, and its exit status and signals are its own.
. "$(dirname "$0")/_common.sh"
make_key one
make_key two
agent one two
known="host.example $(ssh-keygen -lf one.pub | cut -d' ' -f2)"
behind=("$IMGBUILD" agent --ssh git@host.example --known-host "$known" --ssh-key one.pub --)
expect 0 "${behind[@]}" ssh-add -l
is keys 1 "$(wc -l <"$t/out")"
has "$t/out" "$(ssh-keygen -lf one.pub | cut -d' ' -f2)"
hasnt "$t/out" "$(ssh-keygen -lf two.pub | cut -d' ' -f2)"
expect 1 "${behind[@]}" ssh-add -D
is "the user's keys" 2 "$(ssh-add -l | wc -l)"
expect 1 "${behind[@]}" ssh-add one
expect 7 "${behind[@]}" sh -c 'exit 7'
expect 0 "${behind[@]}" echo --ssh-key two words
is output '--ssh-key two words' "$(cat "$t/out")"
expect 3 "${behind[@]}" no-such-program
one_line no-such-program
printf 'data\n' >data
expect 255 "${behind[@]}" ssh-keygen -Y sign -f one.pub -n file data
has "$t/err" refused
"${behind[@]}" sh -c 'trap "exit 9" TERM; touch started; while :; do sleep 0.1; done' >"$t/out" 2>"$t/err" &
pid=$!
started $pid test -e started || fail "it does not start: $(cat "$t/err")"
kill -TERM $pid
got=0
wait $pid || got=$?
is 'status after SIGTERM' 9 $got
