#!/usr/bin/env bash
# Tests the image with a newer engine, in a separate network namespace. Called by run.sh.
set -euo pipefail
source "$here/namespaces.sh"
source "$here/engine.sh"
source "$here/checks.sh"
source "$here/health.sh"
source "$here/newer.sh"

ip link set lo up
start_newer_engine
docker load --quiet < "$work/image.tar"

step "docker run to healthy"
check_time_to_healthy

step "CPU cost of the health check"
check_cost

step "both vendors through the published port, with a webhook to the host"
mock=$("${RUN[@]}" stuntdouble)
healthy "$mock"
sample_flow "$mock"
stops "$mock"

step "SIGTERM with an idle connection, and with a request that never ends"
check_sigterm

step "IPv4 and IPv6"
check_both_families
