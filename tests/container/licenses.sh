# Checks of the image's licenses and of the list of dependencies in its program. Sourced; needs checks.sh
# and `work`, where the image's program is.

# Checks that the label and the program have the same license expression, and that the program's list of
# dependencies has every crate whose license the program prints.
check_licenses() {
  local label
  label=$(docker image inspect --format '{{index .Config.Labels "org.opencontainers.image.licenses"}}' stuntdouble)
  docker run --rm stuntdouble licenses > "$work/licenses"
  same "license expression" "$label" "$(sed -n '/^SPDX-License-Identifier: /{s///p;q}' "$work/licenses")"
  # cargo-auditable writes this section. It must survive the removal of symbols. objcopy has exit code 0 also if
  # the section is missing.
  objcopy --dump-section ".dep-v0=$work/dependencies" "$work/stuntdouble" "$work/same-program"
  rm "$work/same-program"
  [ -s "$work/dependencies" ] || fail "the program has no list of its dependencies"
  python3 "$here/dependencies.py" "$work/dependencies" "$work/licenses" "$VERSION"
}
