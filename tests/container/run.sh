#!/usr/bin/env bash
# The image of docker/Dockerfile, built and tried by a real engine:
#
#   tests/container/run.sh [where to put the program that is in it]
#
# Needs root, Debian's packages (installed if missing), rustc's toolchain, python3 with venv, node of
# 20.18 or later with npm, and crates.io, PyPI and npm's registry or mirrors.
# The engine is one of its own, in a temporary directory. No image is pulled: the builder's is made
# of this machine's toolchain. Ends with exit code 0 if all went well; no step is left out.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cd "$root"
source "$here/engine.sh"
source "$here/testcontainers.sh"
source "$here/aliases.sh"

# What is wanted, and what it may not grow beyond until it is there.
BYTES_WANTED=12000000
BYTES_MAX=14500000
STOP_MS_MAX=1000
# As the issue and the README run it.
RUN=(docker run --detach --read-only --cap-drop ALL --user 65532 -p 127.0.0.1::8080
  --add-host host.docker.internal:host-gateway)

step() { printf '\n--- %s\n' "$*"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
now_ms() { date +%s%3N; }
same() { [ "$2" = "$3" ] || fail "$1 is '$2', not '$3'"; echo "$1: $2"; }

# Waits until the container is healthy.
healthy() {
  for _ in $(seq 600); do
    case $(docker inspect --format '{{.State.Status}} {{.State.Health.Status}}' "$1") in
      "running healthy") return ;;
      running*) sleep 0.05 ;;
      *) docker logs "$1" >&2; fail "the container has ended" ;;
    esac
  done
  docker inspect --format '{{json .State.Health}}' "$1" >&2
  fail "not healthy after 30 s"
}

origin() { echo "http://$(docker port "$1" 8080/tcp | head -n 1)"; }

# SIGTERM, and the end of the container with exit code 0 in time. The signal is sent past the engine
# and its client, which take their own time.
stops() {
  local pid told_ms
  pid=$(docker inspect --format '{{.State.Pid}}' "$1")
  told_ms=$(now_ms)
  kill -TERM "$pid"
  while [ -e "/proc/$pid" ] && [ $(($(now_ms) - told_ms)) -lt "$STOP_MS_MAX" ]; do sleep 0.005; done
  local took_ms=$(($(now_ms) - told_ms))
  [ ! -e "/proc/$pid" ] || fail "it has not ended $took_ms ms after SIGTERM"
  same "exit code on SIGTERM, after $took_ms ms" "$(docker wait "$1")" 0
}

# Nothing is left behind, what was under way included.
ends() {
  local code=$?
  set +e
  [ -z "$installed" ] || wait "$installed"
  ( exit "$code" )
  stop_engine
}

tools
start_engine
installed=
trap ends EXIT

step "the builder's image, of this machine's toolchain"
import_toolchain

# Both cores are busy then: the image's last step has work for one.
install_suites &
installed=$!

step "docker build"
began_ms=$(now_ms)
build_image -f docker/Dockerfile -t stuntdouble . > "$work/build.log" 2>&1 \
  || { tail -n 60 "$work/build.log" >&2; fail "docker build"; }
echo "built in $(($(now_ms) - began_ms)) ms"
bytes=$(docker image inspect --format '{{.Size}}' stuntdouble)
packed=$(docker save stuntdouble | gzip -9 | wc -c)
echo "image: $bytes bytes (wanted: $BYTES_WANTED), $packed as gzip packs it to be pulled"
[ "$bytes" -le "$BYTES_MAX" ] || fail "the image has more than $BYTES_MAX bytes"
if [ $# -gt 0 ]; then
  container=$(docker create stuntdouble)
  docker cp "$container:/stuntdouble" "$1"
  docker rm "$container" > /dev/null
fi

step "docker run to healthy"
began_ms=$(now_ms)
mock=$("${RUN[@]}" stuntdouble)
until curl --silent --fail --output "$work/health" "$(origin "$mock")/_mock/health"; do
  [ $(($(now_ms) - began_ms)) -lt 30000 ] || { docker logs "$mock" >&2; fail "it does not serve"; }
done
echo "docker run to the first 200: $(($(now_ms) - began_ms)) ms"
healthy "$mock"
echo "docker run to healthy: $(($(now_ms) - began_ms)) ms"
docker logs "$mock"

step "what it is"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
label=$(docker image inspect --format '{{index .Config.Labels "org.opencontainers.image.version"}}' stuntdouble)
same "version, by the image's label" "$label" "$version"
same "version, by --version" "$(docker run --rm stuntdouble --version)" "stuntdouble $version"
same "version, by health" "$(cat "$work/health")" '{"status":"ok","version":"'"$version"'"}'
status=/proc/$(docker inspect --format '{{.State.Pid}}' "$mock")/status
same "user" "$(awk '/^Uid:/ {print $2}' "$status")" 65532
same "capabilities" "$(awk '/^CapEff:/ {print $2}' "$status")" 0000000000000000
files=$(docker export "$mock" | tar -t | grep -v -E '^(dev|etc|proc|sys)/|/$|^\.dockerenv$' | sort | tr '\n' ' ')
same "files" "$files" "licenses/noto-sans-cjk.txt licenses/stuntdouble.txt licenses/swagger-ui.txt stuntdouble "
docker logs "$mock" > "$work/told" 2>&1
grep 'data in /tmp/stuntdouble-.* (temporary: gone at exit)' "$work/told" \
  || fail "where the data is, is not told"

step "both vendors through the mapped port, the webhook to the host by name"
gateway=$(docker network inspect --format '{{(index .IPAM.Config 0).Gateway}}' bridge)
port=$(python3 -c 'import socket, sys
with socket.create_server((sys.argv[1], 0)) as probe: print(probe.getsockname()[1])' "$gateway")
env BIZMORI_URL="$(origin "$mock")" UNDETECTABLE_URL="$(origin "$mock")" LISTEN="$gateway:$port" \
  RECEIVER_URL="http://host.docker.internal:$port" python3 docker/sample/service.py

step "SIGTERM, with a connection open"
exec 9<> "/dev/tcp/127.0.0.1/$(origin "$mock" | sed 's/.*://')"
stops "$mock"
exec 9>&-

step "both vendors on a network, by name: the webhook to another container"
docker network create tests > /dev/null
mock=$("${RUN[@]}" --network tests --network-alias api stuntdouble)
healthy "$mock"
docker run --rm --network tests --network-alias receiver --volume "$root/docker/sample:/sample:ro" \
  --env BIZMORI_URL=http://api:8080 --env UNDETECTABLE_URL=http://api:8080 \
  --env RECEIVER_URL=http://receiver:9000 local/rust-toolchain python3 /sample/service.py
stops "$mock"

step "data in /data, where that is mounted"
mock=$("${RUN[@]}" --volume kept:/data stuntdouble)
healthy "$mock"
docker logs "$mock" | grep 'data in /data$' || fail "the data is not in /data"
curl --silent --fail --show-error --output "$work/account" -X PUT \
  "$(origin "$mock")/_mock/accounts/kept" -d '{"credits": 7}'
stops "$mock"
docker start "$mock" > /dev/null
healthy "$mock"
curl --silent --fail --show-error "$(origin "$mock")/_mock/accounts/kept" | grep -o '"credits":7' \
  || fail "the account is gone"
stops "$mock"

step "nowhere to write, which is told"
code=0
docker run --rm --read-only --tmpfs /tmp:ro stuntdouble > "$work/told" 2>&1 || code=$?
same "exit code" "$code" 1
grep 'cannot make a temporary directory: .*; set --data-dir, or TMPDIR' "$work/told" || fail "$(cat "$work/told")"

step "the README's chapter on docker, as it stands"
python3 "$here/blocks.py" README.md "## Docker" > "$work/readme.sh"
( source "$work/readme.sh" )

step "suites that start it by Testcontainers"
wait "$installed" || fail "what the suites need is not there"
testcontainers

step "clients whose hosts are fixed, by the README's compose file"
aliases

step "the image does what it should"
