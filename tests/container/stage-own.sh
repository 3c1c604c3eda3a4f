#!/usr/bin/env bash
# Tests the image with the machine's own Docker engine, in a separate network namespace. Called by run.sh.
set -euo pipefail
source "$here/namespaces.sh"
source "$here/engine.sh"
source "$here/checks.sh"
source "$here/health.sh"
source "$here/settings.sh"
source "$here/memory.sh"
source "$here/licenses.sh"
source "$here/testcontainers.sh"
source "$here/aliases.sh"

copy_folders_on_write
ip link set lo up
start_engine engine

step "docker run to healthy"
began_ms=$(now_ms)
mock=$("${RUN[@]}" stuntdouble)
until curl --silent --fail --output "$work/health" "$(origin "$mock")/_mock/health"; do
  [ $(($(now_ms) - began_ms)) -lt 30000 ] || { docker logs "$mock" >&2; fail "the server does not answer"; }
done
echo "docker run to the first 200: $(($(now_ms) - began_ms)) ms"
healthy "$mock"
docker logs "$mock"
check_time_to_healthy

step "image metadata"
label=$(docker image inspect --format '{{index .Config.Labels "org.opencontainers.image.version"}}' stuntdouble)
same "version, by the image's label" "$label" "$VERSION"
same "version, by --version" "$(docker run --rm stuntdouble --version)" "stuntdouble $VERSION"
same "version, by health" "$(cat "$work/health")" "$HEALTH"
status=/proc/$(docker inspect --format '{{.State.Pid}}' "$mock")/status
same "user" "$(awk '/^Uid:/ {print $2}' "$status")" 65532
same "capabilities" "$(awk '/^CapEff:/ {print $2}' "$status")" 0000000000000000
files=$(docker export "$mock" | tar -t | grep -v -E '^(dev|etc|proc|sys)/|/$|^\.dockerenv$' | sort | tr '\n' ' ')
same "files" "$files" "licenses/THIRD-PARTY.txt.gz licenses/stuntdouble.txt stuntdouble "
docker logs "$mock" > "$work/output" 2>&1
grep 'data in /tmp/stuntdouble-.* (temporary: removed at exit)' "$work/output" \
  || fail "the log does not name the data directory"

step "licenses and dependencies"
check_licenses

step "both vendors through the published port, with a webhook to the host"
sample_flow "$mock"
stops "$mock"

step "SIGTERM with an idle connection, and with a request that never ends"
check_sigterm

step "CPU cost of the health check"
check_cost

step "a server that hangs"
check_hang_is_noticed

step "both vendors on a network, with a webhook to another container"
docker network create tests > /dev/null
mock=$("${RUN[@]}" --network tests --network-alias api stuntdouble)
healthy "$mock"
docker run --rm --network tests --network-alias receiver --volume "$root/docker/sample:/sample:ro" \
  --env BIZMORI_URL=http://api:8080 --env UNDETECTABLE_URL=http://api:8080 \
  --env RECEIVER_URL=http://receiver:9000 local/rust-toolchain python3 /sample/service.py
stops "$mock"

step "IPv4 and IPv6"
check_both_families

step "variables of Kubernetes, and empty variables"
check_variables

step "another URL and another port in variables"
check_other_url
check_other_port

step "the control token in a file"
check_token_file

step "data in /data, if mounted"
mock=$("${RUN[@]}" --volume kept:/data stuntdouble)
healthy "$mock"
docker logs "$mock" | grep 'data in /data,' || fail "the data is not in /data"
curl --silent --fail --show-error --output "$work/account" -X PUT \
  "$(origin "$mock")/_mock/accounts/kept" -d '{"credits": 7}'
stops "$mock"
docker start "$mock" > /dev/null
healthy "$mock"
curl --silent --fail --show-error "$(origin "$mock")/_mock/accounts/kept" | grep -o '"credits":7' \
  || fail "the account is missing"
stops "$mock"

step "a directory at /data that only root can write"
check_foreign_directory

step "no writable directory"
code=0
docker run --rm --read-only --tmpfs /tmp:ro stuntdouble > "$work/output" 2>&1 || code=$?
same "exit code" "$code" 1
grep 'cannot make a temporary directory: .*; set --data-dir, or TMPDIR' "$work/output" || fail "$(cat "$work/output")"

step "little memory"
check_memory

step "the shell examples of docker/README.md"
python3 "$here/blocks.py" docker/README.md "## The image" > "$work/readme.sh"
( source "$work/readme.sh" ) | tee "$work/readme.log"
# --public-url sets the host of the URL, whatever address the test on the host used.
grep --quiet '"presigned_url":"http://host.docker.internal:8080/' "$work/readme.log" \
  || fail "the upload URL does not have the host host.docker.internal"
user=$(docker image inspect --format '{{.Config.User}}' stuntdouble)
"$work/pip/bin/python" "$here/manifest.py" docker/kubernetes.yml "${user%%:*}" "$VERSION"

step "test suites that start the server with Testcontainers"
testcontainers

step "clients whose hosts are fixed, with the compose file of docker/README.md"
aliases
