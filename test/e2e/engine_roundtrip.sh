# The engine room on a real engine: builders, execs, commits, configs and names, without the rest of the program.
. "$(dirname "$0")/_engine.sh"
engine_up || exit $?
engine_base_busybox || exit 1

tree=$(mktemp -d) || exit 1
trap 'rm -rf "$tree"' EXIT
echo nothing here runs >"$tree/readme"
engine_base imgbuild-test/empty:1 "$tree" || exit 1
rm -rf "${tree:?}"/* && engine_busybox_tree "$tree" &&
  engine_base imgbuild-test/busy:1 "$tree" 'ENTRYPOINT ["/bin/false"]' 'USER dev' 'WORKDIR /not-there' 'VOLUME /var/data' \
    'HEALTHCHECK --interval=1s CMD touch /health' 'ENV A=b' 'CMD ["x"]' || exit 1

before=$(docker volume ls -q | sort)
"$BUILD/bin/unit_engine" '[real]' || exit 1
docker rmi imgbuild-test/final:real >/dev/null || exit 1

# Anonymous volumes go with their containers, a moment later.
for _ in $(seq 1 50); do
  left=$(comm -13 <(echo "$before") <(docker volume ls -q | sort) | grep -c .)
  [ "$left" = 0 ] && exit 0
  sleep 0.1
done
echo "volumes are left behind: $left"
exit 1
