#!/usr/bin/env python3
"""Checks that the list of cargo-auditable has every crate whose licenses are printed.

    dependencies.py SECTION LICENSES VERSION

SECTION is the program's section .dep-v0, LICENSES the output of `stuntdouble licenses`, VERSION the
program's version. The list may have more crates: cargo-auditable adds optional crates that are not linked.
"""

import json
import re
import sys
import zlib

# Entries that look like a crate's name and version, but are not crates.
NO_CRATES = {"SQLite"}


def main():
    section, licenses, version = sys.argv[1:]
    with open(section, "rb") as file:
        packages = json.loads(zlib.decompress(file.read()))["packages"]
    with open(licenses, encoding="utf-8") as file:
        lines = file.read().split("-" * 34)[0].splitlines()
    crates = {line for line in lines if re.fullmatch(r"[A-Za-z0-9_-]+ [0-9]+\.[0-9]+\.[0-9]+\S*", line)}
    crates = {line for line in crates if line.split()[0] not in NO_CRATES}
    roots = [(package["name"], package["version"]) for package in packages if package.get("root")]
    if roots != [("stuntdouble", version)]:
        sys.exit(f"the list of dependencies belongs to {roots}, not to stuntdouble {version}")
    listed = {f"{package['name']} {package['version']}" for package in packages}
    if len(crates) < 100:
        sys.exit(f"expected licenses of at least 100 crates, got {sorted(crates)}")
    missing = sorted(crates - listed)
    if missing:
        sys.exit(f"missing in the list of dependencies: {missing}")
    print(f"{len(listed)} packages in the list of dependencies, including all {len(crates)} with a printed license")


if __name__ == "__main__":
    main()
