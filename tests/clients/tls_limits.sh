#!/usr/bin/env bash
# Checks the certificate authority of --tls with OpenSSL:
#
#   tests/clients/tls_limits.sh PORT FOLDER
#
# PORT is the TLS port. FOLDER is `tls` of the data directory, with ca.pem and ca.key. The server's chain must be
# valid, the name constraints critical, and a certificate for another name invalid.
set -euo pipefail

port=$1 folder=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { echo "tls_limits: $*" >&2; exit 1; }

for name in api.bizmori.com localhost; do
  openssl s_client -connect "localhost:$port" -servername "$name" -verify_hostname "$name" \
    -CAfile "$folder/ca.pem" -verify_return_error < /dev/null > "$work/$name" 2>&1 \
    || fail "$name: $(cat "$work/$name")"
done
openssl x509 -in "$work/localhost" -out "$work/served.pem"
openssl verify -x509_strict -CAfile "$folder/ca.pem" "$work/served.pem"
openssl x509 -in "$folder/ca.pem" -noout -ext nameConstraints > "$work/constraints"
grep -q 'X509v3 Name Constraints: critical' "$work/constraints" || fail "$(cat "$work/constraints")"

# Creates a certificate for the name $1 with the authority's key.
forge() {
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/key" \
    -subj "/CN=$2" -out "$work/request" 2> /dev/null
  openssl x509 -req -in "$work/request" -CA "$folder/ca.pem" -CAkey "$folder/ca.key" -days 1 \
    -extfile <(echo "subjectAltName=$1") -out "$work/forged.pem" 2> /dev/null
}

forge DNS:api.bizmori.com api.bizmori.com
openssl verify -CAfile "$folder/ca.pem" "$work/forged.pem" > /dev/null || fail "api.bizmori.com is refused"
for name in DNS:example.com DNS:bizmori.com IP:127.0.0.2 IP:::2; do
  forge "$name" localhost
  if openssl verify -CAfile "$folder/ca.pem" "$work/forged.pem" > "$work/verified" 2>&1; then
    fail "a certificate for $name is valid, although the constraints exclude it"
  fi
  grep -q 'permitted subtree violation' "$work/verified" || fail "$name: $(cat "$work/verified")"
done
echo "openssl: the authority is valid for its own names only"
