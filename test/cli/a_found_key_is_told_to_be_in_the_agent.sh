# A key in an image is matched with the user's agent; an agent that is gone is no reason not to audit.
. "$(dirname "$0")/_common.sh"
make_key key
mkdir -p tree/srv
cp key tree/srv/k
layer l.tar tree
archive leak.tar l.tar
fingerprint=$(ssh-keygen -lf key.pub | cut -d' ' -f2)
expect 1 "$IMGBUILD" audit archive:leak.tar
hasnt "$t/out" "agent: $fingerprint"
agent key
expect 1 "$IMGBUILD" audit archive:leak.tar
has "$t/out" "agent: $fingerprint"
SSH_AUTH_SOCK=$t/gone.sock expect 1 "$IMGBUILD" audit archive:leak.tar
hasnt "$t/out" "agent: $fingerprint"
