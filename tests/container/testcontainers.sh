# The suites of tests/clients/testcontainers, each as its language runs it, with the image in the
# engine. Sourced; provides `install_suites`, which needs a network and no image yet, and `testcontainers`,
# which needs no network; both need `root`, `work` and checks.sh.

testcontainers() {
  # The engine is this machine's own and publishes on 127.0.0.1. The image of the libraries' reaper
  # cannot be pulled: what a suite starts, it has to end itself.
  export TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1 TESTCONTAINERS_CONNECTION_MODE=docker_host
  export TESTCONTAINERS_RYUK_DISABLED=true
  export no_proxy='*' CARGO_NET_OFFLINE=true
  unset STUNTDOUBLE
  suites=$work/copy/tests/clients/testcontainers

  # Each suite starts one container for all its tests, and ends it.
  expect_containers 1 0 python_suite
  expect_containers 1 0 node_suite
  expect_containers 1 0 rust_suite

  # Kept from run to run: once it is started, the second time it is there.
  for suite in node_suite rust_suite; do
    TESTCONTAINERS_REUSE_ENABLE=true expect_containers 1 1 "$suite"
    TESTCONTAINERS_REUSE_ENABLE=true expect_containers 0 0 "$suite"
    docker rm --force --volumes "$(docker ps --quiet --latest)" > /dev/null
  done
  # Python's library cannot; there a server that runs already is named.
  local mock
  mock=$(docker run --detach -p 127.0.0.1::8080 stuntdouble)
  healthy "$mock"
  STUNTDOUBLE=$(origin "$mock") expect_containers 0 0 python_suite
  docker rm --force --volumes "$mock" > /dev/null
}

# What a run of it starts in the engine: so many containers, of which so many are left.
expect_containers() {
  local started=$1 left=$2 suite=$3 before began
  before=$(docker ps --all --quiet | wc -l)
  began=$(date +%s.%N)
  "$suite" || fail "$suite"
  same "containers that $suite started" "$(docker events --since "$began" --until "$(date +%s.%N)" \
    --filter event=create --filter type=container --format '{{.ID}}' | wc -l)" "$started"
  same "containers that $suite left" "$(($(docker ps --all --quiet | wc -l) - before))" "$left"
}

# In a copy, so that nothing is left in the repository. What waits for a network does so meanwhile.
# Says nothing, unless something is missing.
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

# All tests at once: a container ends when no test has it.
rust_suite() {
  ( cd "$suites/rust" && cargo fmt --check \
    && CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}/testcontainers \
      cargo test --quiet --locked --test pictures "$@" -- --test-threads 8 )
}
