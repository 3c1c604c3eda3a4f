#!/usr/bin/env bash
# Checks the types of the dashboard, tests it, and runs attacks of web pages on the server, with a headless Chromium:
#
#   cargo build --release && tests/browser/run.sh [path of the binary [directory for screenshots]]
#
# Needs node 20 or later with npm, and npm's registry or a mirror. Debian's chromium is installed if it is
# missing. Exit code 0 if every attack failed, and the server's own pages and those of other local origins worked.
# With a directory, the dashboard's tests put screenshots of every page there.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
screenshots=${2:+$(mkdir -p "$2" && cd "$2" && pwd)}
server=${1:-${CARGO_TARGET_DIR:-$root/target}/release/stuntdouble}
[ -x "$server" ] || { echo "$server is not a program; build it: cargo build --release" >&2; exit 2; }

if [ ! -x /usr/bin/chromium ]; then
  echo "installing chromium"
  sudo=
  if [ "$(id -u)" -ne 0 ]; then sudo=sudo; fi
  export DEBIAN_FRONTEND=noninteractive
  $sudo apt-get update
  $sudo apt-get install -y --no-install-recommends chromium
fi

work=$(mktemp -d)
pid=
cleanup() {
  if [ -n "$pid" ]; then kill -KILL "$pid" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap cleanup EXIT

# Runs in a copy, so that node finds the packages beside the program and the repository stays clean.
cp "$here"/*.json "$here"/*.mjs "$work"
(cd "$work" && npm ci --ignore-scripts --no-audit --no-fund --silent)

# The compiler finds the sources by their place beside its settings.
ui=src/api/control/dashboard/ui
mkdir -p "$work/tree/tests/browser" "$work/tree/$(dirname "$ui")"
cp "$here/tsconfig.json" "$work/tree/tests/browser"
cp -r "$root/$ui" "$work/tree/$ui"
"$work/node_modules/.bin/tsc" -p "$work/tree/tests/browser"
echo "the dashboard's types fit"

"$server" --port 0 > "$work/started" 2> "$work/log" &
pid=$!
for _ in $(seq 100); do
  if grep -q listening "$work/started"; then break; fi
  sleep 0.1
done
port=$(sed -n 's/.* listening on http:[^,]*:\([0-9]*\),.*/\1/p' "$work/started")
[ -n "$port" ] || { echo "the server did not start:" >&2; cat "$work/log" >&2; exit 1; }

node "$work/attacks.mjs" "$port"
node "$work/dashboard.mjs" "$port" "$root/fixtures/photo.jpg" "$server" ${screenshots:+"$screenshots"}

kill -TERM "$pid"
code=0
wait "$pid" || code=$?
pid=
[ "$code" -eq 0 ] || { cat "$work/log" >&2; echo "the server ended with exit code $code on SIGTERM" >&2; exit 1; }
