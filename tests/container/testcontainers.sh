# Runs the test suites of tests/clients/testcontainers with the image. Sourced. Provides `install_suites`, which
# needs a network and no image, and `testcontainers`, which needs the image and no network. Both need `root`,
# `work` and checks.sh.

testcontainers() {
  # The engine publishes ports on 127.0.0.1. The image of the libraries' reaper cannot be pulled, so each suite
  # must remove its containers itself.
  export TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1 TESTCONTAINERS_CONNECTION_MODE=docker_host
  export TESTCONTAINERS_RYUK_DISABLED=true
  export no_proxy='*' CARGO_NET_OFFLINE=true
  unset STUNTDOUBLE
  suites=$work/copy/tests/clients/testcontainers

  # Each suite starts one container for all its tests, and removes it.
  expect_containers 1 0 python_suite
  expect_containers 1 0 node_suite
  expect_containers 1 0 rust_suite

  # With reuse the first run starts a container, and the second run finds it.
  for suite in node_suite rust_suite; do
    TESTCONTAINERS_REUSE_ENABLE=true expect_containers 1 1 "$suite"
    TESTCONTAINERS_REUSE_ENABLE=true expect_containers 0 0 "$suite"
    docker rm --force --volumes "$(docker ps --quiet --latest)" > /dev/null
  done
  # Python's library has no reuse. There STUNTDOUBLE names a running server.
  local mock
  mock=$(docker run --detach -p 127.0.0.1::8080 stuntdouble)
  healthy "$mock"
  STUNTDOUBLE=$(origin "$mock") expect_containers 0 0 python_suite
  docker rm --force --volumes "$mock" > /dev/null
}

# Runs the suite $3 and checks that it starts $1 containers and leaves $2 of them.
expect_containers() {
  local started=$1 left=$2 suite=$3 before began
  before=$(docker ps --all --quiet | wc -l)
  began=$(date +%s.%N)
  "$suite" || fail "$suite"
  same "containers that $suite started" "$(docker events --since "$began" --until "$(date +%s.%N)" \
    --filter event=create --filter type=container --format '{{.ID}}' | wc -l)" "$started"
  same "containers that $suite left" "$(($(docker ps --all --quiet | wc -l) - before))" "$left"
}

# Installs the suites' dependencies in a copy of the suites, so that the repository stays clean. Downloads run in
# parallel. Prints output only on failure.
install_suites() {
  local suites=$work/copy/tests/clients/testcontainers python node code=0
  mkdir -p "$suites"
  cp -R "$root/tests/clients/testcontainers/." "$suites"
  ln -s "$root/fixtures" "$work/copy/fixtures"
  { python3 -m venv "$work/venv" \
    && "$work/venv/bin/pip" install --quiet --disable-pip-version-check \
      --requirement "$suites/python/requirements.txt"; } > "$work/pip.log" 2>&1 &
  python=$!
  ( cd "$suites/node" && npm ci --ignore-scripts --no-audit --no-fund ) > "$work/npm.log" 2>&1 &
  node=$!
  rust_suite --no-run > "$work/cargo.log" 2>&1 || { cat "$work/cargo.log" >&2; code=1; }
  wait "$python" || { cat "$work/pip.log" >&2; code=1; }
  wait "$node" || { cat "$work/npm.log" >&2; code=1; }
  return "$code"
}

python_suite() {
  ( cd "$suites/python" && "$work/venv/bin/pytest" --quiet -p no:cacheprovider --numprocesses 2 )
}

node_suite() {
  ( cd "$suites/node" && node --test --test-reporter spec )
}

# Runs all tests at once: the container is removed when the last test drops it.
rust_suite() {
  ( cd "$suites/rust" && cargo fmt --check \
    && CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}/testcontainers \
      cargo test --quiet --locked --test pictures "$@" -- --test-threads 8 )
}
