# Tests clients whose hosts are fixed, on a network where stuntdouble has the vendors' names. Runs the compose
# file of docker/README.md unchanged, with tests/clients/tls.mjs as the service, then with tls.py. These
# clients are configured to trust the TLS authority, and nothing else.
# Sourced. Provides `install_service_packages`, which needs no image, and `aliases`. Needs `here`, `root`,
# `work` and checks.sh.

aliases() {
  local file=$work/aliases.yml
  python3 "$here/blocks.py" docker/README.md "## Clients whose host is fixed" yaml > "$file"
  build_service
  local compose=(docker compose --project-name aliases --file "$file")
  "${compose[@]}" up --abort-on-container-exit --exit-code-from app > "$work/fetch.log" 2>&1 \
    || { cat "$work/fetch.log" >&2; fail "fetch"; }
  result_lines "$work/fetch.log" fetch 3

  local fetched="curl -sSf -o /tmp/ca.pem http://stuntdouble:8080/_mock/ca.pem"
  "${compose[@]}" run --rm -e REQUESTS_CA_BUNDLE=/tmp/ca.pem app \
    sh -c "$fetched && exec python3 tls.py" > "$work/requests.log" 2>&1 \
    || { cat "$work/requests.log" >&2; fail "requests"; }
  result_lines "$work/requests.log" requests 4
  "${compose[@]}" down --volumes > "$work/down.log" 2>&1 || { cat "$work/down.log" >&2; fail "down"; }
}

# Checks that the log $1 has $3 result lines of the client $2.
result_lines() {
  grep -o "$2: .*" "$1" || fail "$2 printed nothing"
  same "lines of $2" "$(grep -c "$2: " "$1")" "$3"
}

# Downloads the packages of the image `my-service`, for the Python of the builder's image (the machine's own
# in /usr/bin), and the packages of manifest.py. Needs a network.
install_service_packages() {
  local version
  version=$(/usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  { python3 -m venv "$work/pip" \
    && "$work/pip/bin/pip" install --quiet --disable-pip-version-check --target "$work/my-service/site" \
      --only-binary :all: --python-version "$version" \
      --constraint "$root/tests/clients/requirements.txt" requests \
    && "$work/pip/bin/pip" install --quiet --disable-pip-version-check \
      --constraint "$root/tests/clients/requirements.txt" PyYAML
  } > "$work/service.log" 2>&1 || { cat "$work/service.log" >&2; return 1; }
}

# Builds the image `my-service`: the builder's image, which has python3 and node, the two clients, and requests.
build_service() {
  local service=$work/my-service clients=$work/my-service/tests/clients
  mkdir -p "$clients" "$service/fixtures"
  cp "$root/fixtures/photo.jpg" "$service/fixtures"
  cp "$root/tests/clients/tls.mjs" "$clients/app.js"
  cp "$root/tests/clients/tls.py" "$clients"
  echo '{"type": "module"}' > "$clients/package.json"
  docker build -q -t my-service -f - "$service" > "$work/my-service.log" 2>&1 <<'END' \
    || { cat "$work/my-service.log" >&2; fail "my-service"; }
FROM local/rust-toolchain
RUN mkdir -p -m 1777 /tmp
COPY . /service
ENV PYTHONPATH=/service/site
WORKDIR /service/tests/clients
END
}
