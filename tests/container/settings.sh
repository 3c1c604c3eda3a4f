# Variables, files and directories that orchestrators and compose files give to a container. Sourced by
# the stage of the machine's engine; needs checks.sh.

# A service called stuntdouble in Kubernetes, and variables that a compose file leaves empty.
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

# A server elsewhere that the commands are to call: no concern of the container's own health check.
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

# Another port than the image's: the health check follows it.
check_other_port() {
  local mock
  mock=$("${RUN[@]}" --env STUNTDOUBLE_PORT=9090 stuntdouble)
  healthy "$mock"
  remove "$mock"
}

# The control token as a secret that is mounted as a file.
check_token_file() {
  local mock
  echo mounted-secret > "$work/token"
  chmod 644 "$work/token"
  mock=$("${RUN[@]}" --volume "$work/token:/run/secrets/token:ro" \
    --env STUNTDOUBLE_CONTROL_TOKEN_FILE=/run/secrets/token stuntdouble)
  healthy "$mock"
  same "status without the token" "$(status_of "$mock")" 401
  same "status with it" "$(status_of "$mock" --header 'Authorization: Bearer mounted-secret')" 200
  docker exec "$mock" /stuntdouble accounts > /dev/null || fail "the commands do not read the file"
  remove "$mock"
}

# A directory of root's at /data: the error says who could not write, and what to do.
check_foreign_directory() {
  local code=0
  mkdir "$work/of-root"
  chmod 755 "$work/of-root"
  docker run --rm --read-only --volume "$work/of-root:/data" stuntdouble > "$work/said" 2>&1 || code=$?
  same "exit code" "$code" 1
  cat "$work/said"
  grep --quiet 'uid 65532' "$work/said" || fail "the error does not name the uid"
  grep --quiet -e '--user' "$work/said" || fail "the error does not name --user"
}

# HTTP status of a call of the control plane, with these arguments of curl.
status_of() {
  local mock=$1
  shift
  curl --silent --output /dev/null --write-out '%{http_code}' "$@" "$(origin "$mock")/_mock/accounts"
}
