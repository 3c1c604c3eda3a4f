#!/usr/bin/env bash
# Tests docker/third_party.py, which collects the licenses of dependencies, without building an image:
#
#   tests/licenses/run.sh
#
# Needs cargo, rustc, python3 and Debian's libc6-dev. Exit code 0 if everything passed.
set -euo pipefail
cd "$(dirname "$0")/../.."

script=docker/third_party.py
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { echo "FAILED: $*" >&2; exit 1; }

# Creates a program in $work/$1 with one dependency, `helper`, with the license $2 and the license text $3.
make_program() {
  local root=$work/$1
  mkdir -p "$root/src" "$root/helper/src"
  touch "$root/src/lib.rs" "$root/helper/src/lib.rs"
  printf '[package]\nname = "program"\nversion = "0.1.0"\n[dependencies]\nhelper = { path = "helper" }\n' \
    > "$root/Cargo.toml"
  printf '[package]\nname = "helper"\nversion = "1.2.3"\nlicense = "%s"\n' "$2" > "$root/helper/Cargo.toml"
  if [ -n "$3" ]; then printf '%s\n' "$3" > "$root/helper/LICENSE"; fi
  cargo generate-lockfile --quiet --offline --manifest-path "$root/Cargo.toml"
}

# Checks that the script refuses the program $1 with the message $2.
refuses() {
  local code=0
  python3 "$script" --manifest-path "$work/$1/Cargo.toml" > "$work/out" 2> "$work/err" || code=$?
  [ "$code" -eq 1 ] || fail "$1: exit code $code"
  [ "$(cat "$work/err")" = "$2" ] || fail "$1: $(cat "$work/err")"
  echo "refused: $2"
}

make_program without-text MIT ""
refuses without-text "helper 1.2.3 has no license text"
make_program other-text MIT "You may do as you please."
refuses other-text "helper 1.2.3 has no text of the license MIT"
make_program unknown-license "AGPL-3.0-only OR SSPL-1.0" "Some text."
refuses unknown-license "helper 1.2.3 has the license AGPL-3.0-only OR SSPL-1.0, which is not accepted"

python3 "$script" > "$work/text"
expression=$(sed -n '/^SPDX-License-Identifier: /{s///p;q}' "$work/text")
label=$(sed -n 's/.*org.opencontainers.image.licenses="\(.*\)".*/\1/p' docker/Dockerfile)
[ "$label" = "$expression" ] || fail "docker/Dockerfile's label: expected '$expression', got '$label'"
[ "$(python3 "$script" --expression)" = "$expression" ] || fail "--expression differs"
echo "$(wc -c < "$work/text") bytes of licenses: $expression"
