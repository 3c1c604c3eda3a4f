# Checks of the image's licenses. Sourced; needs checks.sh and `work`.

# The label and the program state one license expression.
check_licenses() {
  local label
  label=$(docker image inspect --format '{{index .Config.Labels "org.opencontainers.image.licenses"}}' stuntdouble)
  docker run --rm stuntdouble licenses > "$work/licenses"
  same "license expression" "$label" "$(sed -n '/^SPDX-License-Identifier: /{s///p;q}' "$work/licenses")"
}
