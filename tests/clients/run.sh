#!/usr/bin/env bash
# Tests the release binary with other programs: the vendor's SDK, the programs of the README files, clients that
# call the vendors' hosts by TLS, readers of its output files and metrics, and a fuzzer with its OpenAPI
# description:
#
#   cargo build --release && tests/clients/run.sh [path of the binary]
#
# Needs python3 with venv, a package index or mirror for requirements.txt, node 20 or later, openssl, and qpdf,
# pdfinfo, pdffonts, pdftotext and pdftoppm (Debian: qpdf, poppler-utils).
# Exit code 0 if all tests passed and the server ended with exit code 0.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
server=${1:-${CARGO_TARGET_DIR:-$root/target}/release/stuntdouble}
[ -x "$server" ] || { echo "$server is not a program; build it: cargo build --release" >&2; exit 2; }

work=$(mktemp -d)
pid=
cleanup() {
  if [ -n "$pid" ]; then kill -KILL "$pid" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap cleanup EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"

"$server" --port 0 --tls --tls-port 0 > "$work/started" 2> "$work/log" &
pid=$!
for _ in $(seq 100); do
  if grep -q listening "$work/started"; then break; fi
  sleep 0.1
done
origin=$(sed -n 's/.* listening on \(http[^,]*\),.*/\1/p' "$work/started")
port=$(sed -n 's/.* https:[^,]*:\([0-9]*\),.*/\1/p' "$work/started")
[ -n "$origin" ] && [ -n "$port" ] || { echo "the server did not start:" >&2; cat "$work/log" >&2; exit 1; }

export no_proxy='*'
for version in $(grep -v '^#' "$here/sdk_versions.txt"); do
  echo "--- the SDK, version $version"
  "$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps \
    --target "$work/sdk-$version" "truthscan-image-detector-client==$version"
  PYTHONPATH="$work/sdk-$version" "$work/venv/bin/python" "$here/undetectable_sdk.py" "$origin"
done
# With the newest SDK, the last one of the loop.
PYTHONPATH="$work/sdk-$version" "$work/venv/bin/python" "$here/recipes.py" "$origin"

echo "--- clients whose hosts are fixed, by TLS"
curl -sSf -o "$work/ca.pem" "$origin/_mock/ca.pem"
export ALIASED_PORT=$port
PYTHONPATH="$here/aliased" REQUESTS_CA_BUNDLE="$work/ca.pem" "$work/venv/bin/python" "$here/tls.py"
NODE_EXTRA_CA_CERTS="$work/ca.pem" node --import "$here/aliased/preload.mjs" "$here/tls.mjs"
data=$(sed -n 's/.*, data in \([^ ]*\).*/\1/p' "$work/started")
"$here/tls_limits.sh" "$port" "$data/tls"
for version in $(grep -v '^#' "$here/sdk_versions.txt" | tail -n 1); do
  echo "--- the SDK, version $version, at the vendor's host"
  PYTHONPATH="$here/aliased:$work/sdk-$version" REQUESTS_CA_BUNDLE="$work/ca.pem" \
    SSL_CERT_FILE="$work/ca.pem" \
    "$work/venv/bin/python" "$here/undetectable_sdk.py" https://detect-image.truthscan.com
done

"$work/venv/bin/python" "$here/bizmori_files.py" "$origin" "$work/files"
"$work/venv/bin/python" "$here/watermark_files.py" "$work/files/marked"
"$work/venv/bin/python" "$here/fuzz.py" "$origin" "$work/fuzz"
"$work/venv/bin/python" "$here/metrics.py" "$origin"

kill -TERM "$pid"
code=0
wait "$pid" || code=$?
pid=
cat "$work/log" >&2
[ "$code" -eq 0 ] || { echo "the server ended with exit code $code on SIGTERM" >&2; exit 1; }
echo "all client tests passed, and the server ended with exit code 0"
