# Orders that need much memory, in containers with little memory: each order ends, processed or refused, and the
# server survives. Sourced by stage-own.sh. Needs checks.sh.

MEMORY_LIMITS=(64m 128m 256m)

check_memory() {
  local limit mock enforced
  for limit in "${MEMORY_LIMITS[@]}"; do
    mock=$("${RUN[@]}" --memory "$limit" --memory-swap "$limit" stuntdouble)
    healthy "$mock"
    enforced=$(memory_limit_of "$mock")
    if [ "$enforced" != $((${limit%m} * 1024 * 1024)) ]; then
      remove "$mock"
      echo "NOT CHECKED with --memory $limit: this machine's kernel does not enforce it (limit: $enforced)."
      echo "Checked instead with a limit of the address space, without a container:"
      python3 "$root/tests/limits/run.py" "$work/stuntdouble" --method ulimit --memory 512,256
      return
    fi
    echo "--memory $limit, enforced by $(memory_cgroup_of "$mock")"
    python3 "$root/tests/limits/run.py" --url "$(origin "$mock")"
    same "processes killed because of memory" "$(oom_kills_of "$mock")" 0
    echo "peak: $(memory_peak_of "$mock") bytes, files in the page cache included"
    stops "$mock"
    remove "$mock"
  done
}

# Prints the folder of the container's memory cgroup, version 1 or 2.
memory_cgroup_of() {
  local pid path
  pid=$(docker inspect --format '{{.State.Pid}}' "$1")
  path=$(sed -n 's/^[0-9]*:memory://p' "/proc/$pid/cgroup")
  if [ -n "$path" ]; then echo "/sys/fs/cgroup/memory$path"; return; fi
  echo "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup")"
}

# Prints the kernel's limit. `none` if there is none: with a limit that the kernel ignores the test would prove
# nothing.
memory_limit_of() {
  local cgroup
  cgroup=$(memory_cgroup_of "$1")
  cat "$cgroup/memory.max" 2> /dev/null || cat "$cgroup/memory.limit_in_bytes" 2> /dev/null || echo none
}

memory_peak_of() {
  local cgroup
  cgroup=$(memory_cgroup_of "$1")
  cat "$cgroup/memory.peak" 2> /dev/null || cat "$cgroup/memory.max_usage_in_bytes" 2> /dev/null || echo unknown
}

oom_kills_of() {
  local cgroup
  cgroup=$(memory_cgroup_of "$1")
  cat "$cgroup/memory.events" "$cgroup/memory.oom_control" 2> /dev/null | sed -n 's/^oom_kill //p'
}
