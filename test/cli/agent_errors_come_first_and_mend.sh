# imgbuild agent: no agent, an empty agent, an unknown host, no command: one line and the command that mends it.
. "$(dirname "$0")/_common.sh"
make_key key
agent_line=("$IMGBUILD" agent --ssh git@host.example --known-host "host.example $(ssh-keygen -lf key.pub | cut -d' ' -f2)")
expect 2 "$IMGBUILD" agent --ssh git@host.example
one_line 'no command'
expect 2 "$IMGBUILD" agent -- true
one_line 'no host is granted'
expect 3 "${agent_line[@]}" -- touch ran
one_line agent
has "$t/err" ssh-add
SSH_AUTH_SOCK=$t/gone.sock expect 3 "${agent_line[@]}" -- touch ran
one_line agent
agent
expect 3 "${agent_line[@]}" -- touch ran
one_line ssh-add
ssh-add -q key 2>/dev/null
expect 3 "$IMGBUILD" agent --ssh git@unknown.example -- touch ran
one_line unknown.example
has "$t/err" ssh-keyscan
expect 3 "${agent_line[@]}" --ssh-key SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA -- touch ran
[ ! -e ran ] || fail "the command ran all the same"
