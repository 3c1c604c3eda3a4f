# A Docker engine for the test: installed if missing, started in the test's directory, and stopped with
# everything that it started. Sourced. Needs `work`, a directory. Provides a `docker` that uses that engine.

# Name of the engines' cgroup, which is removed at the end.
CGROUP=stuntdouble-test
# The classic builder: BuildKit is a plugin that Debian 12 does not have.
export DOCKER_BUILDKIT=0 COMPOSE_DOCKER_CLI_BUILD=0

# Installs missing commands and files of the test with apt-get.
install_tools() {
  [ "$(id -u)" -eq 0 ] || { echo "an engine needs root" >&2; exit 2; }
  local missing=()
  need() { type -P "$1" > /dev/null || missing+=("$2"); }
  need dockerd docker.io
  need iptables-save iptables
  docker compose version > /dev/null 2>&1 || need docker-compose docker-compose
  need curl curl
  need ip iproute2
  need gzip gzip
  need tar tar
  need unshare util-linux
  need nsenter util-linux
  need mount mount
  need find findutils
  need awk mawk
  need diff diffutils
  need objcopy binutils
  need cc gcc
  need pgrep procps
  # The program is linked with glibc's static library.
  [ -e "$(cc -print-file-name=libc.a 2> /dev/null)" ] || missing+=(libc6-dev)
  [ -x /usr/bin/python3 ] || missing+=(python3)
  python3 -c 'import ensurepip, venv' 2> /dev/null || missing+=(python3-venv)
  [ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
  # Later versions of Debian have the client in a separate package.
  type -P docker > /dev/null || install_packages docker-cli
}

install_packages() {
  echo "installing $*"
  # Debian starts the services that it installs. The policy prevents that for the machine's engine.
  local policy=/usr/sbin/policy-rc.d made= code=0 log
  if [ ! -e "$policy" ]; then
    made=$policy
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod +x "$policy"
  fi
  log=$(mktemp)
  { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"; } \
    > "$log" 2>&1 || code=$?
  [ -z "$made" ] || rm -f "$made"
  [ "$code" -eq 0 ] || cat "$log" >&2
  rm "$log"
  [ "$code" -eq 0 ] || exit 1
}

# Starts an engine in directory $1 below `work`. The other arguments are more flags of dockerd. `ENGINE` is the
# command that runs dockerd.
ENGINE=(dockerd)
CLIENT=(command docker)
start_engine() {
  local dir=$work/$1
  shift
  mkdir -p "$dir"
  export DOCKER_HOST=unix://$dir/sock DOCKER_CONFIG=$work/config
  "${ENGINE[@]}" --data-root "$dir/data" --exec-root "$dir/exec" --pidfile "$dir/pid" \
    -H "$DOCKER_HOST" --storage-driver overlay2 \
    --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/$CGROUP" "$@" > "$dir/engine.log" 2>&1 &
  engine=$! engine_dir=$dir
  trap stop_engine EXIT
  for _ in $(seq 300); do
    if client version > /dev/null 2>&1; then
      client version --format 'engine {{.Server.Version}}, client {{.Client.Version}}'
      return
    fi
    kill -0 "$engine" 2> /dev/null || break
    sleep 0.1
  done
  echo "the engine did not start" >&2
  exit 1
}

# Stops every container and the engine, and unmounts the engine's mounts. Keeps the exit code.
stop_engine() {
  local code=$?
  set +e
  trap - EXIT
  [ "$code" -eq 0 ] || tail -n 20 "$engine_dir/engine.log" >&2
  local container
  for container in $(client ps --all --quiet); do client rm --force --volumes "$container" > /dev/null; done
  kill -TERM "$engine"
  wait "$engine"
  awk -v below="$engine_dir/" 'index($2, below) == 1 {print $2}' /proc/mounts | sort -r | xargs -r umount
  exit "$code"
}

# Removes the empty cgroups that the engines left.
remove_cgroups() {
  find /sys/fs/cgroup -depth -type d -path "*/$CGROUP*" -exec rmdir {} + 2> /dev/null || true
}

# Prints the CPU time in ms that the only container has caused so far: in the engine, containerd, shims, runc,
# the server and its health checks.
cpu_ms() {
  local pid
  for pid in $(pgrep -f -- "$engine_dir/|^/stuntdouble"); do
    # Times of the process, and of its children that have ended: proc(5), fields 14 to 17.
    sed 's/.*) //' "/proc/$pid/stat" 2> /dev/null || true
  done | awk -v hz="$(getconf CLK_TCK)" '{sum += $12 + $13 + $14 + $15} END {printf "%d\n", sum * 1000 / hz}'
}

# Imports this machine's toolchain as the builder's image: rustc, cargo, cc and its libraries; python3, for
# the sample service and the license texts; and the sources of these texts. Missing entries of the list are
# not needed by the machine's toolchain.
import_toolchain() {
  local sysroot began=$SECONDS
  sysroot=$(rustc --print sysroot)
  ( cd / && find bin lib lib64 sbin usr/bin usr/lib64 usr/include usr/share/ca-certificates \
      usr/lib/*-linux-gnu usr/lib/gcc usr/lib/python3* etc/alternatives etc/ssl etc/ld.so* \
      etc/passwd etc/group etc/nsswitch.conf "${sysroot#/}/bin" "${sysroot#/}/lib" \
      "${sysroot#/}/share/doc/rust/COPYRIGHT-library.html" "${sysroot#/}/share/doc/rust/licenses" \
      usr/share/common-licenses usr/share/doc/libc6-dev \
      -maxdepth 0 2> /dev/null || true ) \
    | tar --create --directory / --files-from - \
    | docker import --change "ENV PATH=$sysroot/bin:/usr/bin:/bin:/usr/sbin:/sbin" - \
      local/rust-toolchain > /dev/null
  echo "imported in $((SECONDS - began)) s"
}

# Runs `docker build` with that builder and the engine's network.
build_image() {
  client build --network host --build-arg BUILDER=local/rust-toolchain "$@"
}

# Runs the engine's client.
client() { "${CLIENT[@]}" "$@"; }

# Stands for `docker` in the examples of docker/README.md. Debian's compose may be a separate program. The
# sample uses the builder's image, because no image is pulled.
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
    *) client "$@" ;;
  esac
}
