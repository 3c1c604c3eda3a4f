# Tests of the image's health check: time until a container is healthy, CPU cost, and detection of a server that
# hangs. Sourced by the stages. Needs checks.sh and engine.sh.

HEALTHY_MS_MAX=2500
COST_PERCENT_MAX=2

# Measures the time from `docker run` to healthy, the best of three, because the machine may be busy.
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

# Measures the CPU time that an idle, healthy container causes: the server, the health checks, and the engine with
# containerd, shims and runc.
check_cost() {
  local mock began_ms began_cpu_ms took_ms cost_ms permille
  mock=$("${RUN[@]}" stuntdouble)
  healthy "$mock"
  began_ms=$(now_ms) began_cpu_ms=$(cpu_ms)
  sleep 30
  cost_ms=$(($(cpu_ms) - began_cpu_ms)) took_ms=$(($(now_ms) - began_ms))
  permille=$((cost_ms * 1000 / took_ms))
  echo "server, health checks and engine: $cost_ms ms of CPU in $took_ms ms, $permille ‰ of a core"
  [ "$cost_ms" -gt 0 ] || fail "no CPU time was measured"
  [ "$permille" -le $((COST_PERCENT_MAX * 10)) ] || fail "more than $COST_PERCENT_MAX % of a core"
  same "health" "$(health_of "$mock")" healthy
  remove "$mock"
}

# Checks that a stopped server becomes unhealthy, and healthy again when it continues.
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
