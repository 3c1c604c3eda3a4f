# Compares the state of the machine before and after the test, for run.sh. The engines run in separate
# namespaces (namespaces.sh), so nothing should change.
# Sourced. Needs `work`. Provides `machine_state`, `remember_machine` and `assert_machine_unchanged`.

# Prints the state that an engine can change, one fact a line: packet filters of both kinds, network settings,
# links, addresses, routes, mounts, cgroups, and folders that an engine creates outside its own.
machine_state() {
  local save
  for save in iptables-nft-save ip6tables-nft-save iptables-legacy-save ip6tables-legacy-save; do
    # Without dates and packet counts.
    { "$save" 2> /dev/null || true; } | sed -e '/^#/d' -e 's/ \[[0-9]*:[0-9]*\]$//' -e "s/^/$save: /"
  done
  if command -v nft > /dev/null; then nft --stateless list ruleset 2> /dev/null || true; fi
  # Counters change by themselves. Bridge settings exist once the kernel has loaded the module, which cannot be
  # undone.
  { grep -rs . /proc/sys/net/ipv4 /proc/sys/net/ipv6 || true; } | grep -v '/fib_sync_mem:' | sort
  if [ -e "$work/had_bridge_settings" ]; then grep -rs . /proc/sys/net/bridge | sort; fi
  ip -oneline link | sed 's/ qlen.*//'
  ip -oneline address | sed 's/ *valid_lft.*//'
  { ip route show table all; ip -6 route show table all; } | sed 's/ expires [0-9a-z]*//' | sort
  sort /proc/self/mounts
  find /sys/fs/cgroup -maxdepth 3 -type d \( -name '*docker*' -o -name 'stuntdouble-test*' \) 2> /dev/null | sort
  ls -d /etc/docker /opt/containerd /run/docker /run/docker.sock /run/containerd /var/lib/docker \
    /var/lib/containerd /etc/cni 2> /dev/null || true
}

remember_machine() {
  if [ -d /proc/sys/net/bridge ]; then : > "$work/had_bridge_settings"; fi
  machine_state > "$work/machine.before"
}

# Asserts that the state is as before. Retries, because the mounts of an ended namespace disappear a moment
# later.
assert_machine_unchanged() {
  local attempt
  for attempt in 1 2 3 4 5; do
    machine_state > "$work/machine.after"
    if cmp --silent "$work/machine.before" "$work/machine.after" && ! processes_below_work; then
      echo "the machine is unchanged: $(wc -l < "$work/machine.before") facts compared"
      return 0
    fi
    sleep "$attempt"
  done
  echo "FAILED: the test changed the machine:" >&2
  diff "$work/machine.before" "$work/machine.after" >&2 || true
  processes_below_work >&2 || true
  return 1
}

# Prints the processes with the test's directory in their arguments. Fails if there is none.
processes_below_work() {
  local cmdline found=1
  for cmdline in /proc/[0-9]*/cmdline; do
    # A process may end before it is read.
    if { tr '\0' ' ' < "$cmdline"; } 2> /dev/null | grep -F -- "$work/"; then found=0; fi
  done
  return "$found"
}
