# A token on each of two hundred roads into an image: texts and dumps, mails and documents, databases, repositories, disks,
# archives of every kind and what lies outside of their members. Every one is found.
. "$(dirname "$0")/_common.sh"
/usr/bin/python3 -c 'import lz4, plyvel' 2>/dev/null && command -v mke2fs mksquashfs genisoimage 7z zstd brotli cpio ldb >/dev/null ||
  { echo 'not all programs are here'; exit 77; }
mkdir "$t/roads"
/usr/bin/python3 "$(dirname "$0")/_roads.py" "$IMGBUILD" "$t/roads" >"$t/out" || {
  cat "$t/out" >&2
  fail 'a road leads past the audit'
}
cat "$t/out"
