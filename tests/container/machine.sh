# What an engine may change on the machine that it runs on, for run.sh, which fails if the test leaves
# any of it changed. The engines run in namespaces of their own (namespaces.sh), so nothing should be.
# Sourced; needs `work`. Provides `machine_state` and `assert_machine_unchanged`.

# Prints the state, one fact a line: packet filters of both kinds, network settings, links, addresses,
# routes, mounts, cgroups, and the folders that an engine makes outside of its own.
machine_state() {
  local save
  for save in iptables-nft-save ip6tables-nft-save iptables-legacy-save ip6tables-legacy-save; do
    # Without dates and packet counts.
    { "$save" 2> /dev/null || true; } | sed -e '/^#/d' -e 's/ \[[0-9]*:[0-9]*\]$//' -e "s/^/$save: /"
  done
  if command -v nft > /dev/null; then nft --stateless list ruleset 2> /dev/null || true; fi
  # The counters among them change by themselves. Settings of a bridge exist from the moment that the
  # kernel loads its module, which cannot be undone.
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

# Waits for what ends a moment late, such as the mounts of a namespace that is no more.
assert_machine_unchanged() {
  local attempt
  for attempt in 1 2 3 4 5; do
    machine_state > "$work/machine.after"
    if cmp --silent "$work/machine.before" "$work/machine.after" && ! processes_below_work; then
      echo "the machine is as it was: $(wc -l < "$work/machine.before") facts compared"
      return 0
    fi
    sleep "$attempt"
  done
  echo "FAILED: the test has changed the machine:" >&2
  diff "$work/machine.before" "$work/machine.after" >&2 || true
  processes_below_work >&2 || true
  return 1
}

# Prints the processes that have the test's directory among their arguments. Fails if there is none.
processes_below_work() {
  local cmdline found=1
  for cmdline in /proc/[0-9]*/cmdline; do
    # Processes may end meanwhile.
    if { tr '\0' ' ' < "$cmdline"; } 2> /dev/null | grep -F -- "$work/"; then found=0; fi
  done
  return "$found"
}
