# Clients whose hosts are fixed, on a network where stuntdouble has the vendors' names: the README's
# compose file as it stands, with tests/clients/tls.mjs as the service, and then tls.py in its place.
# Nothing but the authority leads these clients here. Sourced; provides `install_service_packages`, which
# needs no image, and `aliases`; needs `here`, `root`, `work` and checks.sh.

aliases() {
  local file=$work/aliases.yml
  python3 "$here/blocks.py" README.md "## Clients whose host is fixed" yaml > "$file"
  build_service
  local compose=(docker compose --project-name aliases --file "$file")
  "${compose[@]}" up --abort-on-container-exit --exit-code-from app > "$work/fetch.log" 2>&1 \
    || { cat "$work/fetch.log" >&2; fail "fetch"; }
  went "$work/fetch.log" fetch 3

  local fetched="curl -sSf -o /tmp/ca.pem http://stuntdouble:8080/_mock/ca.pem"
  "${compose[@]}" run --rm -e REQUESTS_CA_BUNDLE=/tmp/ca.pem app \
    sh -c "$fetched && exec python3 tls.py" > "$work/requests.log" 2>&1 \
    || { cat "$work/requests.log" >&2; fail "requests"; }
  went "$work/requests.log" requests 4
  "${compose[@]}" down --volumes > "$work/down.log" 2>&1 || { cat "$work/down.log" >&2; fail "down"; }
}

# The lines that a client says when it is done, so many.
went() {
  grep -o "$2: .*" "$1" || fail "$2 said nothing"
  same "lines of $2" "$(grep -c "$2: " "$1")" "$3"
}

# Downloads what the image `my-service` needs, for the Python that is in the builder's image: the
# machine's own, in /usr/bin. And what manifest.py needs. Needs a network.
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

# The image `my-service`: the builder's, which has python3 and node, with the two clients and requests.
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
