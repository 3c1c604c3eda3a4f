# Orders that need much memory, in containers that have little: each ends, done or refused, and the server
# lives. Sourced by the stage of the machine's engine; needs checks.sh.

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
    same "processes that the kernel killed for want of memory" "$(oom_kills_of "$mock")" 0
    echo "peak: $(memory_peak_of "$mock") bytes, files in the page cache included"
    stops "$mock"
    remove "$mock"
  done
}

# Folder of the container's memory cgroup, of version 1 or 2.
memory_cgroup_of() {
  local pid path
  pid=$(docker inspect --format '{{.State.Pid}}' "$1")
  path=$(sed -n 's/^[0-9]*:memory://p' "/proc/$pid/cgroup")
  if [ -n "$path" ]; then echo "/sys/fs/cgroup/memory$path"; return; fi
  echo "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup")"
}

# Prints the limit as the kernel has it. `none` if it has none: a limit that the kernel ignores shows
# nothing, so the test must not pass.
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
