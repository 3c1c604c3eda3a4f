#!/usr/bin/env bash
# Builds the image of docker/Dockerfile and tests it with real Docker engines:
#
#   tests/container/run.sh [path for a copy of the image's program]
#
# Needs root, Debian's packages (installed if missing), rustc's toolchain, node 20.18 or later with npm, and
# crates.io, PyPI, npm's registry and Debian's archive, or mirrors of them. No image is pulled: the builder's
# image is made from this machine's toolchain.
# Two engines test the image: the machine's own, and a newer one that is unpacked for the test (newer.sh).
# Both run in separate namespaces, in a temporary directory. The test fails if it leaves the machine changed
# (machine.sh). Exit code 0 if everything passed; no step is skipped.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cd "$root"
source "$here/engine.sh"
source "$here/namespaces.sh"
source "$here/machine.sh"
source "$here/newer.sh"
source "$here/checks.sh"
source "$here/testcontainers.sh"
source "$here/aliases.sh"

# Downloads everything that needs a network, while the compiler is busy.
install_in_background() {
  local code=0
  fetch_newer_engine || code=1
  install_service_packages || code=1
  install_suites || code=1
  return "$code"
}

finish() {
  local code=$?
  set +e
  [ -z "$installing" ] || wait "$installing"
  remove_cgroups
  assert_machine_unchanged || [ "$code" -ne 0 ] || code=1
  rm -rf "$work"
  exit "$code"
}

install_tools
work=$(mktemp -d)
installing=
export here root work
remember_machine
trap finish EXIT

install_in_background &
installing=$!
with_own_mounts bash "$here/stage-build.sh" "$@"
wait "$installing" || fail "the download of the tests' dependencies failed"
installing=

printf '\n=== the engine of this machine\n'
with_own_network bash "$here/stage-own.sh"

printf '\n=== a newer engine\n'
with_own_network bash "$here/stage-newer.sh"

step "all tests of the image passed"
