#!/usr/bin/env bash
# Builds the image in an engine that uses the machine's network, for the compiler's downloads, without changing it:
# no bridge, no packet filter. Called by run.sh:
#
#   stage-build.sh [path for a copy of the image's program]
set -euo pipefail
source "$here/namespaces.sh"
source "$here/engine.sh"
source "$here/checks.sh"

# Target size, and the size above which the test fails.
BYTES_TARGET=12000000
BYTES_MAX=16200000

copy_folders_on_write
start_engine engine --bridge=none --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false

step "the builder's image, from this machine's toolchain"
import_toolchain

step "docker build"
began_ms=$(now_ms)
build_image -f docker/Dockerfile -t stuntdouble . > "$work/build.log" 2>&1 \
  || { tail -n 60 "$work/build.log" >&2; fail "docker build"; }
echo "built in $(($(now_ms) - began_ms)) ms"
bytes=$(docker image inspect --format '{{.Size}}' stuntdouble)
docker save --output "$work/image.tar" stuntdouble
packed=$(gzip -9 < "$work/image.tar" | wc -c)
echo "image: $bytes bytes (target: $BYTES_TARGET), $packed compressed"
[ "$bytes" -le "$BYTES_MAX" ] || fail "the image has more than $BYTES_MAX bytes"
container=$(docker create stuntdouble)
docker cp "$container:/stuntdouble" "$work/stuntdouble"
remove "$container"
if [ $# -gt 0 ]; then cp "$work/stuntdouble" "$1"; fi
