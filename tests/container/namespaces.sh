# Namespaces for the engines of tests/container/run.sh. What an engine changes, packet filters, links,
# network settings and mounts, it changes in there, and it goes when the last process in there ends.
# Sourced; needs `work`.

# Runs the command with mounts of its own. The network is the machine's.
with_own_mounts() {
  unshare --mount --propagation private "$@"
}

# Runs the command with mounts and a network of its own. Nothing outside of the machine can be reached.
with_own_network() {
  unshare --mount --propagation private --net "$@"
}

# To be called in a mount namespace of one's own: makes the folders copies on write in which an engine
# leaves files whatever its settings are, such as /etc/docker/key.json and /opt/containerd.
copy_folders_on_write() {
  local folder above
  for folder in etc opt run; do
    above=$(mktemp -d "$work/above-$folder-XXXXXX")
    mkdir "$above/upper" "$above/work"
    mount -t overlay overlay -o "lowerdir=/$folder,upperdir=$above/upper,workdir=$above/work" "/$folder"
  done
}
