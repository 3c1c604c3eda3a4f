# Checks of the image's licenses and of the list of dependencies in its program. Sourced; needs checks.sh
# and `work`, where the image's program is.

# The label and the program state one license expression, and the program's list of dependencies has
# every crate whose licenses it prints.
check_licenses() {
  local label
  label=$(docker image inspect --format '{{index .Config.Labels "org.opencontainers.image.licenses"}}' stuntdouble)
  docker run --rm stuntdouble licenses > "$work/licenses"
  same "license expression" "$label" "$(sed -n '/^SPDX-License-Identifier: /{s///p;q}' "$work/licenses")"
  # The section that cargo-auditable writes, which has to outlast the removal of symbols.
  # objcopy also ends with exit code 0 if there is no such section.
  objcopy --dump-section ".dep-v0=$work/dependencies" "$work/stuntdouble" "$work/same-program"
  rm "$work/same-program"
  [ -s "$work/dependencies" ] || fail "the program has no list of its dependencies"
  python3 "$here/dependencies.py" "$work/dependencies" "$work/licenses" "$VERSION"
}
