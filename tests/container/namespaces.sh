# Namespaces for the engines of tests/container/run.sh. An engine changes packet filters, links, network
# settings and mounts in its namespaces only. These changes end with the last process in the namespaces.
# Sourced. Needs `work`.

# Runs the command in a new mount namespace, with the machine's network.
with_own_mounts() {
  unshare --mount --propagation private "$@"
}

# Runs the command in new mount and network namespaces. It cannot reach any other machine.
with_own_network() {
  unshare --mount --propagation private --net "$@"
}

# Mounts copy-on-write overlays over folders in which every engine leaves files, such as /etc/docker/key.json
# and /opt/containerd. Must be called in a new mount namespace.
copy_folders_on_write() {
  local folder above
  for folder in etc opt run; do
    above=$(mktemp -d "$work/above-$folder-XXXXXX")
    mkdir "$above/upper" "$above/work"
    mount -t overlay overlay -o "lowerdir=/$folder,upperdir=$above/upper,workdir=$above/work" "/$folder"
  done
}
