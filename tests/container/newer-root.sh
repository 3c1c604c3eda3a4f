#!/usr/bin/env bash
# Runs dockerd with another root file system, in a new mount namespace:
#
#   unshare --mount newer-root.sh ROOT WORK [flags of dockerd]
#
# WORK is a directory that has the same path inside as outside.
set -euo pipefail

root=$1 work=$2
shift 2
for folder in proc sys dev tmp run; do mkdir -p "$root/$folder"; done
mount --bind "$root" "$root"
for folder in proc sys dev; do mount --rbind "/$folder" "$root/$folder"; done
for folder in tmp run; do mount -t tmpfs tmpfs "$root/$folder"; done
mkdir -p "$root$work" "$root/run/machine"
mount --bind "$work" "$root$work"
cd "$root"
pivot_root . run/machine
export PATH=/usr/sbin:/usr/bin
hash -r
umount --lazy /run/machine
exec dockerd "$@"
