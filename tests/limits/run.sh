#!/usr/bin/env bash
# Processes the most demanding pictures of each format in 512, 256, 128 and 64 MiB of memory.
#
#     tests/limits/run.sh target/release/stuntdouble
#
# As root the limits are those of memory cgroups, else of the address space. More arguments go to run.py.
set -euo pipefail
exec python3 "$(dirname "$0")/run.py" "$@"
