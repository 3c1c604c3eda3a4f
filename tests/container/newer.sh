# A newer engine than the machine's, of a later Debian: unpacked below the test's directory, with the
# libraries that it needs, and run with that as its root file system. Nothing is installed. Sourced;
# needs `work`, `here` and engine.sh.

# Debian 14. Its 28.5 probes every 5 s in a start period, which 20.10 and Debian 13's 26.1 do not.
SUITE=${NEWER_SUITE:-forky}
NEWER_VERSION_MIN=26

# Downloads the engine from the archive that the machine's own sources name, and unpacks it.
fetch_newer_engine() {
  local apt=$work/apt tree=$work/newer-root archive keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  local options package name
  archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' \
    'Label: Debian' 'Component: main' | sort -u | head -n 1)
  [ -n "$archive" ] || { echo "no Debian archive among the machine's apt sources" >&2; return 1; }
  mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$tree"
  echo "deb [signed-by=$keyring] $archive $SUITE main" > "$apt/sources.list"
  # No package counts as installed, so that every library is among what is downloaded.
  : > "$apt/status"
  options=(-q -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o Dir::Etc::preferencesparts=/dev/null -o Dir::State="$apt" -o Dir::State::lists="$apt/lists"
    -o Dir::State::status="$apt/status" -o Dir::Cache="$apt" -o Dir::Cache::archives="$apt/archives"
    -o APT::Sandbox::User=root -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false)
  { apt-get "${options[@]}" update \
    && apt-get "${options[@]}" install --yes --download-only --no-install-recommends docker.io docker-cli mount
  } > "$apt/log" 2>&1 || { cat "$apt/log" >&2; return 1; }
  for package in "$apt"/archives/*.deb; do dpkg-deb --extract "$package" "$tree"; done
  # What the packages' scripts would do.
  for name in bin sbin lib lib64; do [ -e "$tree/$name" ] || ln -s "usr/$name" "$tree/$name"; done
  for name in iptables ip6tables; do
    for package in "" -save -restore; do ln -sf "$name-nft$package" "$tree/usr/sbin/$name$package"; done
  done
  rm -r "$apt"
}

# Starts it. `docker` is its own client from then on.
start_newer_engine() {
  ENGINE=(unshare --mount --propagation private bash "$here/newer-root.sh" "$work/newer-root" "$work")
  CLIENT=(newer_client)
  start_engine newer
  local version
  version=$(docker version --format '{{.Server.Version}}')
  [ "${version%%.*}" -ge "$NEWER_VERSION_MIN" ] || fail "$version is older than $NEWER_VERSION_MIN"
}

newer_client() { nsenter --target "$engine" --mount --wd=/ /usr/bin/docker "$@"; }
