# Variables, files and directories that orchestrators and compose files give to a container. Sourced by
# stage-own.sh. Needs checks.sh.

# Checks the variables of a Kubernetes service called stuntdouble, and empty variables of a compose file.
check_variables() {
  local mock
  mock=$("${RUN[@]}" --env STUNTDOUBLE_PORT=tcp://10.0.0.1:8080 --env STUNTDOUBLE_SERVICE_HOST=10.0.0.1 \
    --env STUNTDOUBLE_SERVICE_PORT=8080 --env STUNTDOUBLE_PORT_8080_TCP=tcp://10.0.0.1:8080 \
    --env STUNTDOUBLE_PORT_8080_TCP_PORT=8080 --env STUNTDOUBLE_CONTROL_TOKEN= \
    --env STUNTDOUBLE_DATA_DIR= --env STUNTDOUBLE_TLS_PORT= --env STUNTDOUBLE_URL= stuntdouble)
  healthy "$mock"
  same "status of a call without a token" "$(status_of "$mock")" 200
  remove "$mock"
}

# Checks that STUNTDOUBLE_URL, which is for commands, does not affect the container's health check.
check_other_url() {
  local mock probes
  mock=$("${RUN[@]}" --env STUNTDOUBLE_URL=http://elsewhere:1 stuntdouble)
  healthy "$mock"
  until probes=$(docker inspect --format '{{len .State.Health.Log}}' "$mock"); [ "$probes" -ge 3 ]; do
    sleep 0.2
  done
  same "health after $probes probes" "$(health_of "$mock")" healthy
  remove "$mock"
}

# Checks that the health check uses the port of STUNTDOUBLE_PORT.
check_other_port() {
  local mock
  mock=$("${RUN[@]}" --env STUNTDOUBLE_PORT=9090 stuntdouble)
  healthy "$mock"
  remove "$mock"
}

# Checks the control token in a mounted file.
check_token_file() {
  local mock
  echo mounted-secret > "$work/token"
  chmod 644 "$work/token"
  mock=$("${RUN[@]}" --volume "$work/token:/run/secrets/token:ro" \
    --env STUNTDOUBLE_CONTROL_TOKEN_FILE=/run/secrets/token stuntdouble)
  healthy "$mock"
  same "status without the token" "$(status_of "$mock")" 401
  same "status with the token" "$(status_of "$mock" --header 'Authorization: Bearer mounted-secret')" 200
  docker exec "$mock" /stuntdouble accounts > /dev/null || fail "the commands do not read the token file"
  remove "$mock"
}

# Checks that the error for a /data of root names the user and the remedy.
check_foreign_directory() {
  local code=0
  mkdir "$work/of-root"
  chmod 755 "$work/of-root"
  docker run --rm --read-only --volume "$work/of-root:/data" stuntdouble > "$work/output" 2>&1 || code=$?
  same "exit code" "$code" 1
  cat "$work/output"
  grep --quiet 'uid 65532' "$work/output" || fail "the error does not name the uid"
  grep --quiet -e '--user' "$work/output" || fail "the error does not name --user"
}

# Prints the HTTP status of a call to the control plane. Arguments after the container go to curl.
status_of() {
  local mock=$1
  shift
  curl --silent --output /dev/null --write-out '%{http_code}' "$@" "$(origin "$mock")/_mock/accounts"
}
