#!/usr/bin/env bash
# Tries the image with a newer engine, in a network of its own. Called by run.sh.
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

step "what the health check costs"
check_cost

step "both vendors through the published port, the webhook to the host by name"
mock=$("${RUN[@]}" stuntdouble)
healthy "$mock"
sample_flow "$mock"
stops "$mock"

step "SIGTERM, with an idle connection and with a request that never ends"
check_sigterm

step "IPv4 and IPv6"
check_both_families
