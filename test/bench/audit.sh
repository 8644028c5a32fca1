#!/bin/bash
# How fast images are audited, beside what no audit can do without (reading, hashing, inflating) and beside every other
# scanner that is on PATH: seconds, MB/s of layer data, peak memory, and how many secrets are told.
#
#   bash test/bench/audit.sh IMGBUILD [IMAGE...]     IMAGE: raw gzip zstd many git jar empty; all of them without one
#   bash test/bench/audit.sh IMGBUILD FILE.tar       an archive of your own
#
# The images are made once of Debian's packages and kept in $IMGBUILD_BENCH (/var/tmp/imgbuild-bench): a root of about
# 1.5 GB in one layer (raw, gzip, zstd), 20 small layers, a git repository of many packs and objects, Java archives.
# Each secret of the `many` image is one of the twenty that this script plants, made anew each time.
# Needs mmdebstrap, python3, git, zstd, igzip (package isal); each scanner ends after $LIMIT seconds (600).
set -eu
imgbuild=$(realpath "$1")
shift
here=$(cd "$(dirname "$0")" && pwd)
folder=${IMGBUILD_BENCH:-/var/tmp/imgbuild-bench}
limit=${LIMIT:-600}
mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# archive LAYER...: a docker-archive of layer files (raw or packed) on standard output.
archive() { python3 "$here/archive.py" "$@"; }

root() {
  [ -e "$folder/layer.tar" ] || mmdebstrap --quiet --variant=apt --format=tar \
    --include=python3,nodejs,npm,git,golang,ruby,build-essential,nginx,openjdk-17-jdk-headless bookworm "$folder/layer.tar"
}

# packages NAME...: unpacks each into a folder of its own below $work/p.
packages() {
  mkdir -p "$work/deb" "$work/p"
  (cd "$work/deb" && apt-get -o APT::Sandbox::User=root download "$@" >/dev/null)
  local deb
  for deb in "$work"/deb/*.deb; do dpkg -x "$deb" "$work/p/$(basename "$deb" .deb)"; done
}

make_image() {
  case $1 in
    raw) root; archive "$folder/layer.tar" ;;
    gzip)
      root
      [ -e "$folder/layer.tar.gz" ] || gzip -6 <"$folder/layer.tar" >"$folder/layer.tar.gz"
      archive "$folder/layer.tar.gz"
      ;;
    zstd)
      root
      [ -e "$folder/layer.tar.zst" ] || zstd -q -T0 -3 <"$folder/layer.tar" >"$folder/layer.tar.zst"
      archive "$folder/layer.tar.zst"
      ;;
    many)
      packages bash coreutils curl gnupg less make nano openssl perl-base python3-minimal rsync sed sqlite3 tar tcpdump \
        tmux unzip vim-tiny wget zip
      local folder_of number=0
      for folder_of in "$work"/p/*; do
        number=$((number + 1))
        ssh-keygen -q -t ed25519 -N '' -C '' -f "$folder_of/key$number"
        rm "$folder_of/key$number.pub"
        tar -C "$folder_of" -cf "$work/$number.tar" .
      done
      archive "$work"/*.tar
      ;;
    git)
      git init -q "$work/repository"
      python3 "$here/history.py" 4000 | git -C "$work/repository" fast-import --quiet
      git -C "$work/repository" reset -q --hard
      tar -C "$work" -cf "$work/layer.tar" repository
      archive "$work/layer.tar"
      ;;
    jar)
      packages ant libguava-java libgoogle-gson-java libspring-core-java libspring-web-java libcommons-collections3-java \
        liblucene4.10-java libxerces2-java libjetty9-java libbcprov-java libnetty-java libhibernate-validator-java
      tar -C "$work/p" -cf "$work/layer.tar" .
      archive "$work/layer.tar"
      ;;
    empty)
      tar -cf "$work/layer.tar" -T /dev/null
      archive "$work/layer.tar"
      ;;
    *) echo "no such image: $1" >&2; exit 2 ;;
  esac
}

# measure NAME FOUND COMMAND...: a row of figures; FOUND counts what the command told, in the file $work/out.
measure() {
  local name=$1 found=$2
  shift 2
  timeout "$limit" /usr/bin/env time -f '%e %U %S %M' "$@" >"$work/out" 2>"$work/said" || true
  tail -n 1 "$work/said" | awk -v name="$name" -v size="$size" -v found="$($found)" 'NF == 4 && $1 + 0 == $1 {
    printf "  %-22s %8.2f s %8.0f MB/s %8.2f s of processor %6d MB  %s\n", name, $1, size / 1e6 / ($1 + 0.001), $2 + $3, $4 / 1024, found
    next
  } { printf "  %-22s no end within its time, or an error: %s\n", name, $0 }'
}
nothing() { :; }
of_imgbuild() { jq -r '[.images[].leaks | length] | add | "\(.) leaks"' "$work/out"; }
of_json_lines() { grep -c '^{' "$work/out" || true; }
of_json_array() { jq -r 'length' "$work/out" 2>/dev/null; }

has() { command -v "$1" >/dev/null; }

# Scanners that read images are given the archive, the others its unpacked layers.
others() {
  local scanner any=''
  for scanner in trufflehog gitleaks betterleaks kingfisher trivy titus keyhog; do has "$scanner" && any="$any $scanner"; done
  [ -n "$any" ] || return 0
  if [ ! -e "$work/root" ]; then
    mkdir "$work/root"
    python3 "$here/archive.py" --unpack "$1" "$work/root"
  fi
  for scanner in $any; do
    case $scanner in
      trufflehog) measure "$scanner" of_json_lines trufflehog docker --image "file://$1" --json --no-verification --no-update ;;
      trivy) measure "$scanner" of_json_lines trivy image --input "$1" --scanners secret --offline-scan --skip-db-update --format json ;;
      gitleaks | betterleaks) measure "$scanner" of_json_array "$scanner" dir "$work/root" --no-banner --report-format json --report-path - --exit-code 0 ;;
      kingfisher) measure "$scanner" of_json_lines kingfisher scan "$work/root" --no-validate --format jsonl ;;
      titus) measure "$scanner" of_json_lines titus scan "$work/root" --format json ;;
      keyhog) measure "$scanner" of_json_lines keyhog scan "$1" --format json ;;
    esac
  done
  rm -rf "$work/root"
}

bench() { # bench NAME ARCHIVE
  local layer
  cat "$2" >/dev/null # into the page cache
  size=$(python3 "$here/archive.py" --size "$2")
  printf '%s: %d MB of layers, %d MB as stored, %d processors, load %s\n' "$1" $((size / 1000000)) \
    $(($(stat -c %s "$2") / 1000000)) "$(nproc)" "$(cut -d' ' -f1 /proc/loadavg)"
  measure cat nothing cat "$2"
  measure 'openssl dgst -sha256' nothing openssl dgst -sha256 "$2"
  case $1 in
    gzip) has igzip && measure 'igzip -dc' nothing igzip -dc "$folder/layer.tar.gz" ;;
    zstd) measure 'zstd -dc' nothing zstd -dc "$folder/layer.tar.zst" ;;
  esac
  measure 'imgbuild audit' of_imgbuild "$imgbuild" audit --no-cache --format json "archive:$2"
  others "$2"
}

[ $# -gt 0 ] || set -- empty many git jar raw gzip zstd
for image; do
  if [ -f "$image" ]; then
    bench "$(basename "$image")" "$image"
    continue
  fi
  if [ ! -e "$folder/$image.image.tar" ]; then
    make_image "$image" >"$folder/$image.part"
    mv "$folder/$image.part" "$folder/$image.image.tar"
    rm -rf "${work:?}"/*
  fi
  bench "$image" "$folder/$image.image.tar"
done
