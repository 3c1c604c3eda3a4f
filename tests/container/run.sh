#!/usr/bin/env bash
# The image of docker/Dockerfile, built and tried by real engines:
#
#   tests/container/run.sh [where to put the program that is in it]
#
# Needs root, Debian's packages (installed if missing), rustc's toolchain, node of 20.18 or later with
# npm, and crates.io, PyPI, npm's registry and Debian's archive or mirrors of them. No image is pulled:
# the builder's is made of this machine's toolchain.
# Two engines try the image: the machine's own, and a newer one that is unpacked for the test (newer.sh).
# Both run in namespaces of their own, in a temporary directory; the test fails if it leaves the machine
# changed (machine.sh). Ends with exit code 0 if all went well; no step is left out.
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

# What needs a network, while the compiler is busy.
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
wait "$installing" || fail "what the tests need is not there"
installing=

printf '\n=== the engine of this machine\n'
with_own_network bash "$here/stage-own.sh"

printf '\n=== a newer engine\n'
with_own_network bash "$here/stage-newer.sh"

step "the image does what it should"
