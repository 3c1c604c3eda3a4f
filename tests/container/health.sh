# The image's health check: how soon a container is healthy, what the check costs while it runs, and
# that it notices a server that hangs. Sourced by the stages; needs checks.sh and engine.sh.

HEALTHY_MS_MAX=2500
COST_PERCENT_MAX=2

# From `docker run` to healthy, the best of three: the machine may be busy with something else.
check_time_to_healthy() {
  local mock began_ms took_ms best_ms=
  for _ in 1 2 3; do
    began_ms=$(now_ms)
    mock=$("${RUN[@]}" stuntdouble)
    healthy "$mock"
    took_ms=$(($(now_ms) - began_ms))
    echo "docker run to healthy: $took_ms ms"
    if [ -z "$best_ms" ] || [ "$took_ms" -lt "$best_ms" ]; then best_ms=$took_ms; fi
    remove "$mock"
  done
  [ "$best_ms" -le "$HEALTHY_MS_MAX" ] || fail "not healthy within $HEALTHY_MS_MAX ms"
}

# CPU of everything that runs because of the container: the server, the probes, and the engine with
# containerd, shims and runc. From the moment that it is healthy; no command is sent meanwhile.
check_cost() {
  local mock began_ms began_cpu_ms took_ms cost_ms permille
  mock=$("${RUN[@]}" stuntdouble)
  healthy "$mock"
  began_ms=$(now_ms) began_cpu_ms=$(cpu_ms)
  sleep 30
  cost_ms=$(($(cpu_ms) - began_cpu_ms)) took_ms=$(($(now_ms) - began_ms))
  permille=$((cost_ms * 1000 / took_ms))
  echo "server, probes and engine: $cost_ms ms of CPU in $took_ms ms, $permille ‰ of a core"
  [ "$cost_ms" -gt 0 ] || fail "nothing has been measured"
  [ "$permille" -le $((COST_PERCENT_MAX * 10)) ] || fail "more than $COST_PERCENT_MAX % of a core"
  same "health" "$(health_of "$mock")" healthy
  remove "$mock"
}

# A server that does not answer any more, and then does again.
check_hang_is_noticed() {
  local mock began_ms
  mock=$("${RUN[@]}" stuntdouble)
  healthy "$mock"
  docker kill --signal STOP "$mock" > /dev/null
  began_ms=$(now_ms)
  healthy "$mock" unhealthy 60
  echo "SIGSTOP to unhealthy: $(($(now_ms) - began_ms)) ms"
  docker kill --signal CONT "$mock" > /dev/null
  healthy "$mock"
  stops "$mock"
  remove "$mock"
}
