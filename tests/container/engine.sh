# An engine of one's own for tests/container/run.sh: installed, started in a temporary directory,
# and gone again with all that it made. Sourced; promises `work`, a directory, and a `docker` that
# asks that engine.

# What is missing, by apt-get.
tools() {
  [ "$(id -u)" -eq 0 ] || { echo "an engine needs root" >&2; exit 2; }
  local missing=()
  command -v dockerd > /dev/null || missing+=(docker.io)
  command -v iptables-save > /dev/null || missing+=(iptables)
  command -v docker-compose > /dev/null || docker compose version > /dev/null 2>&1 \
    || missing+=(docker-compose)
  command -v curl > /dev/null || missing+=(curl)
  [ -x /usr/bin/python3 ] || missing+=(python3-minimal)
  if [ ${#missing[@]} -gt 0 ]; then
    echo "installing ${missing[*]}"
    # Debian starts what it installs; this engine is not wanted.
    local policy=/usr/sbin/policy-rc.d made=
    if [ ! -e "$policy" ]; then
      made=$policy
      printf '#!/bin/sh\nexit 101\n' > "$policy"
      chmod +x "$policy"
    fi
    local code=0 log
    log=$(mktemp)
    { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"; } \
      > "$log" 2>&1 || code=$?
    [ -z "$made" ] || rm -f "$made"
    [ "$code" -eq 0 ] || cat "$log" >&2
    rm "$log"
    [ "$code" -eq 0 ] || exit 1
  fi
  # Later Debians have the client apart.
  command -v docker > /dev/null \
    || DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends docker-cli > /dev/null
}

start_engine() {
  work=$(mktemp -d)
  iptables-save > "$work/iptables"
  had_bridge=$([ -e /sys/class/net/docker0 ] && echo yes || echo no)
  forwarded=$(cat /proc/sys/net/ipv4/ip_forward)
  export DOCKER_HOST=unix://$work/sock DOCKER_CONFIG=$work/config
  # The older builder: the newer one is a plugin that Debian does not have.
  export DOCKER_BUILDKIT=0 COMPOSE_DOCKER_CLI_BUILD=0
  # What is published without an address, as Testcontainers does, is for this machine alone.
  dockerd --data-root "$work/data" --exec-root "$work/exec" --pidfile "$work/pid" --ip 127.0.0.1 \
    -H "$DOCKER_HOST" --oom-score-adjust 0 --storage-driver overlay2 > "$work/engine.log" 2>&1 &
  engine=$!
  for _ in $(seq 300); do
    if docker version > /dev/null 2>&1; then
      docker version --format 'engine {{.Server.Version}}, client {{.Client.Version}}'
      return
    fi
    kill -0 "$engine" 2> /dev/null || break
    sleep 0.1
  done
  cat "$work/engine.log" >&2
  echo "the engine does not start" >&2
  exit 1
}

# Every container, the engine, its files, its bridges and its rules.
stop_engine() {
  local code=$?
  set +e
  [ "$code" -eq 0 ] || tail -n 20 "$work/engine.log" >&2
  docker ps --all --quiet | xargs -r docker rm --force --volumes > /dev/null
  docker network prune --force > /dev/null
  kill -TERM "$engine"
  wait "$engine"
  [ "$had_bridge" = yes ] || ip link delete docker0
  iptables-restore < "$work/iptables"
  echo "$forwarded" > /proc/sys/net/ipv4/ip_forward
  # What the engine has left mounted, the deepest first.
  awk -v below="$work/" 'index($2, below) == 1 {print $2}' /proc/mounts | sort -r | xargs -r umount
  rm -rf "$work" || { sleep 1; rm -rf "$work"; } || code=1
  exit "$code"
}

# What a builder needs of this machine: rustc, cargo, cc and its libraries; python3, for the sample
# service. What this machine has not of the list, its toolchain does not need. It is called local/rust-toolchain.
import_toolchain() {
  local sysroot began=$SECONDS
  sysroot=$(rustc --print sysroot)
  ( cd / && find bin lib lib64 sbin usr/bin usr/lib64 usr/include usr/share/ca-certificates \
      usr/lib/*-linux-gnu usr/lib/gcc usr/lib/python3* etc/alternatives etc/ssl etc/ld.so* \
      etc/passwd etc/group etc/nsswitch.conf "${sysroot#/}/bin" "${sysroot#/}/lib" \
      -maxdepth 0 2> /dev/null || true ) \
    | tar --create --directory / --files-from - \
    | docker import --change "ENV PATH=$sysroot/bin:/usr/bin:/bin:/usr/sbin:/sbin" - \
      local/rust-toolchain > /dev/null
  echo "imported in $((SECONDS - began)) s"
}

# `docker build` with that builder, and the network as this machine has it.
build_image() {
  command docker build --network host --build-arg BUILDER=local/rust-toolchain "$@"
}

# What the README's commands call: Debian's compose may be a program of its own, and no image is pulled.
docker() {
  case ${1:-} in
    build) shift; build_image "$@" ;;
    compose)
      shift
      if command docker compose version > /dev/null 2>&1; then
        SAMPLE_IMAGE=local/rust-toolchain command docker compose "$@"
      else
        SAMPLE_IMAGE=local/rust-toolchain docker-compose "$@"
      fi ;;
    *) command docker "$@" ;;
  esac
}
