# Shared by the stages of tests/container/run.sh. Sourced; needs `root`, `work` and `docker`.

# The command of docker/README.md.
RUN=(docker run --detach --read-only --cap-drop ALL --user 65532 -p 127.0.0.1::8080
  --add-host host.docker.internal:host-gateway)
# Time from the signal to the end of the process. A request in progress has 3 s.
STOP_MS_MAX=1000
STOP_WITH_REQUEST_MS_MAX=4000

step() { printf '\n--- %s\n' "$*"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
now_ms() { date +%s%3N; }
same() { [ "$2" = "$3" ] || fail "$1: expected '$3', got '$2'"; echo "$1: $2"; }

# Prints the container's health as the engine reports it: starting, healthy or unhealthy. Fails if the container has ended.
health_of() {
  local state
  state=$(docker inspect --format '{{.State.Status}} {{.State.Health.Status}}' "$1")
  case $state in
    running*) echo "${state#running }" ;;
    *) docker logs "$1" >&2; fail "the container has ended" ;;
  esac
}

# Waits until the container $1 has the health $2 (default: healthy), for at most $3 s (default: 30).
healthy() {
  local expected=${2:-healthy} deadline_ms=$(($(now_ms) + ${3:-30} * 1000)) health
  while [ "$(now_ms)" -lt "$deadline_ms" ]; do
    health=$(health_of "$1") || exit 1
    if [ "$health" = "$expected" ]; then return; fi
    sleep 0.05
  done
  docker inspect --format '{{json .State.Health}}' "$1" >&2
  fail "not $expected after ${3:-30} s"
}

origin() { echo "http://$(docker port "$1" 8080/tcp | head -n 1)"; }

# Sends SIGTERM, and checks that the container ends with exit code 0 within $2 ms. The signal goes directly to
# the process, because the engine and its client would add their own time.
stops() {
  local pid sent_ms took_ms max_ms=${2:-$STOP_MS_MAX}
  pid=$(docker inspect --format '{{.State.Pid}}' "$1")
  sent_ms=$(now_ms)
  kill -TERM "$pid"
  while [ -e "/proc/$pid" ] && [ $(($(now_ms) - sent_ms)) -lt "$max_ms" ]; do sleep 0.005; done
  took_ms=$(($(now_ms) - sent_ms))
  [ ! -e "/proc/$pid" ] || fail "the process still runs $took_ms ms after SIGTERM"
  same "exit code on SIGTERM, after $took_ms ms" "$(docker wait "$1")" 0
}

remove() { docker rm --force --volumes "$1" > /dev/null; }

# Runs the service of docker/sample on the host. The service uses both vendors and receives the webhook.
sample_flow() {
  local gateway port
  gateway=$(docker network inspect --format '{{(index .IPAM.Config 0).Gateway}}' bridge)
  port=$(python3 -c 'import socket, sys
with socket.create_server((sys.argv[1], 0)) as probe: print(probe.getsockname()[1])' "$gateway")
  env BIZMORI_URL="$(origin "$1")" UNDETECTABLE_URL="$(origin "$1")" LISTEN="$gateway:$port" \
    RECEIVER_URL="http://host.docker.internal:$port" no_proxy='*' \
    python3 "$root/docker/sample/service.py"
}

# Sends SIGTERM with an idle connection open, and with a request whose body never arrives.
check_sigterm() {
  local mock port
  mock=$("${RUN[@]}" stuntdouble)
  healthy "$mock"
  port=$(origin "$mock" | sed 's/.*://')
  exec 9<> "/dev/tcp/127.0.0.1/$port"
  stops "$mock"
  exec 9>&-
  remove "$mock"

  mock=$("${RUN[@]}" stuntdouble)
  healthy "$mock"
  port=$(origin "$mock" | sed 's/.*://')
  exec 9<> "/dev/tcp/127.0.0.1/$port"
  printf 'PUT /_mock/accounts/stuck HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n' >&9
  # The answer to a later request shows that the incomplete request has arrived.
  curl --silent --fail --output /dev/null "http://127.0.0.1:$port/_mock/health"
  stops "$mock" "$STOP_WITH_REQUEST_MS_MAX"
  exec 9>&-
  remove "$mock"
}

# Calls the server over IPv4 by the published port, and over IPv6 by the container's address.
check_both_families() {
  local mock address
  docker network create --ipv6 --subnet fd00:57d0::/64 both > /dev/null
  mock=$("${RUN[@]}" --network both stuntdouble)
  healthy "$mock"
  address=$(docker inspect --format '{{.NetworkSettings.Networks.both.GlobalIPv6Address}}' "$mock")
  same "IPv4" "$(curl --silent --show-error --ipv4 "$(origin "$mock")/_mock/health")" "$HEALTH"
  # A bridge takes a second or two until its address can be used as a source.
  same "IPv6, at $address" "$(curl --silent --show-error --max-time 2 --retry 15 --retry-delay 1 --retry-all-errors "http://[$address]:8080/_mock/health" 2> /dev/null)" "$HEALTH"
  remove "$mock"
  docker network rm both > /dev/null
}
VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)
HEALTH='{"status":"ok","version":"'"$VERSION"'"}'
