# What is not understood is exit 2 and one line with the nearest thing that would be.
. "$(dirname "$0")/_common.sh"
expect 2 "$IMGBUILD" biuld
one_line 'unknown command `biuld`'
has "$t/err" 'did you mean build?'
expect 2 "$IMGBUILD" build --form x
one_line 'unknown flag --form'
has "$t/err" 'did you mean --from?'
expect 2 "$IMGBUILD" audit --treads=4 x
one_line 'unknown flag --treads'
has "$t/err" 'did you mean --threads?'
expect 2 "$IMGBUILD" stage --qqqqqq
one_line 'unknown flag --qqqqqq'
expect 2 "$IMGBUILD" stage a b
one_line 'unexpected word `b`'
expect 2 "$IMGBUILD" rules lits
one_line 'unknown command `lits`'
has "$t/err" 'did you mean list?'
expect 2 "$IMGBUILD" audit --threads many x
one_line threads
expect 2 "$IMGBUILD" build --from
one_line from
expect 2 "$IMGBUILD" audit
one_line TARGET
expect 2 "$IMGBUILD" rules
one_line 'no command'
# The value of a flag that is not known may be a secret: it is not repeated.
expect 2 "$IMGBUILD" build --secrt=do-not-print-me
hasnt "$t/err" do-not-print-me
