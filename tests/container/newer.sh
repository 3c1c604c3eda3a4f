# A newer engine than the machine's, from a later Debian. It is unpacked below the test's directory with its
# libraries, and runs with that directory as its root file system. Nothing is installed.
# Sourced. Needs `work`, `here` and engine.sh.

# Debian 14 has engine 28.5, which checks health every 5 s in a start period. Engines 20.10 and 26.1 (Debian 13)
# do not.
SUITE=${NEWER_SUITE:-forky}
NEWER_VERSION_MIN=26

# Downloads the engine from the Debian archive of the machine's apt sources, and unpacks it.
fetch_newer_engine() {
  local apt=$work/apt tree=$work/newer-root archive keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  local options package name
  archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' \
    'Label: Debian' 'Component: main' | sort -u | head -n 1)
  [ -n "$archive" ] || { echo "no Debian archive among the machine's apt sources" >&2; return 1; }
  mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$tree"
  echo "deb [signed-by=$keyring] $archive $SUITE main" > "$apt/sources.list"
  # No package counts as installed, so that every library is downloaded.
  : > "$apt/status"
  options=(-q -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o Dir::Etc::preferencesparts=/dev/null -o Dir::State="$apt" -o Dir::State::lists="$apt/lists"
    -o Dir::State::status="$apt/status" -o Dir::Cache="$apt" -o Dir::Cache::archives="$apt/archives"
    -o APT::Sandbox::User=root -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false)
  { apt-get "${options[@]}" update \
    && apt-get "${options[@]}" install --yes --download-only --no-install-recommends docker.io docker-cli mount
  } > "$apt/log" 2>&1 || { cat "$apt/log" >&2; return 1; }
  for package in "$apt"/archives/*.deb; do dpkg-deb --extract "$package" "$tree"; done
  # Links that the packages' scripts would create.
  for name in bin sbin lib lib64; do [ -e "$tree/$name" ] || ln -s "usr/$name" "$tree/$name"; done
  for name in iptables ip6tables; do
    for package in "" -save -restore; do ln -sf "$name-nft$package" "$tree/usr/sbin/$name$package"; done
  done
  rm -r "$apt"
}

# Starts the newer engine. From then on `docker` runs its client.
start_newer_engine() {
  ENGINE=(unshare --mount --propagation private bash "$here/newer-root.sh" "$work/newer-root" "$work")
  CLIENT=(newer_client)
  start_engine newer
  local version
  version=$(docker version --format '{{.Server.Version}}')
  [ "${version%%.*}" -ge "$NEWER_VERSION_MIN" ] || fail "$version is older than $NEWER_VERSION_MIN"
}

newer_client() { nsenter --target "$engine" --mount --wd=/ /usr/bin/docker "$@"; }
