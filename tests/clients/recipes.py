#!/usr/bin/env python3
"""The programs of the README's chapter on clients, each run as it stands, against a running server.

    PYTHONPATH=where/the/sdk/is tests/clients/recipes.py http://127.0.0.1:8080

A program has to print what the README shows below it, and nothing else but the SDK's log. Needs requests, the
vendor's SDK, and node 18 or newer. Ends with exit code 0 if all do.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHAPTER = "Clients"
# A language's word in the README, the ending of its files, and what runs them.
LANGUAGES = {"python": (".py", [sys.executable]), "js": (".mjs", ["node"])}
# Every heading of the chapter that has a program; one that goes is missed.
PROGRAMS = [
    "Python: requests",
    "Python: Undetectable's own SDK",
    "Node: fetch",
    "A webhook receiver in Python",
    "A webhook receiver in Node",
]
TIMEOUT_S = 120
# How the SDK logs, to standard output.
LOG = re.compile(r"^\[[-0-9T:.]+\] INFO: .*\n", re.M)


def sections(readme):
    """Heading and text of each section of the chapter."""
    chapter = re.search(rf"^## {CHAPTER}\n(.*?)^## ", readme, re.M | re.S).group(1)
    parts = re.split(r"^### (.*)\n", chapter, flags=re.M)
    return list(zip(parts[1::2], parts[2::2]))


def blocks(section):
    """Language and text of each block of a section."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", section, re.M | re.S)


def run(heading, section, origin, folder):
    (language, program), (plain, shown) = blocks(section)
    assert plain == "", f"{heading}: what is shown is the second block"
    ending, runner = LANGUAGES[language]
    file = folder / f"program{ending}"
    file.write_text(program, encoding="utf-8")
    env = {**os.environ, "STUNTDOUBLE": origin, "no_proxy": "*"}
    ran = subprocess.run(
        [*runner, file], cwd=ROOT, env=env, capture_output=True, text=True, timeout=TIMEOUT_S
    )
    if ran.returncode != 0 or LOG.sub("", ran.stdout) != shown:
        sys.exit(
            f"{heading}: exit code {ran.returncode}\n{ran.stdout}{ran.stderr}instead of\n{shown}"
        )
    for line in shown.splitlines():
        print(f"{heading}: {line}")


def main(origin):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = sections(readme)
    assert [heading for heading, _ in found] == PROGRAMS, found
    with tempfile.TemporaryDirectory() as folder:
        for heading, section in found:
            run(heading, section, origin, Path(folder))


if __name__ == "__main__":
    main(sys.argv[1])
