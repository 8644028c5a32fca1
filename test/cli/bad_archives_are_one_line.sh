# What is no archive is told in one line, whatever it is, and is exit 3.
. "$(dirname "$0")/_common.sh"
: >empty.tar
mkdir folder
head -c 100000 /dev/urandom >noise.tar
head -c 10240 /dev/zero >zeros.tar
tar -cf other.tar folder
mkdir tree
layer l.tar tree
archive whole.tar l.tar
head -c 2000 whole.tar >cut.tar
for file in empty.tar folder noise.tar zeros.tar other.tar cut.tar missing.tar; do
  expect 3 "$IMGBUILD" audit "archive:$file"
  [ "$file" = cut.tar ] && told_in_one_line "$file" || one_line "$file" # what is there of that one is looked at
  expect 3 "$IMGBUILD" audit "./$file"
done
expect 3 "$IMGBUILD" audit archive:empty.tar
has "$t/err" empty
expect 3 "$IMGBUILD" audit archive:folder
has "$t/err" directory
expect 3 "$IMGBUILD" audit - </dev/null
one_line empty
expect 3 "$IMGBUILD" audit - <cut.tar
