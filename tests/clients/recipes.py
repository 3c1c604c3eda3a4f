#!/usr/bin/env python3
"""Runs the Python and Node programs of the README files against a running server.

    PYTHONPATH=where/the/sdk/is tests/clients/recipes.py http://127.0.0.1:8080

A program of tests/README.md must print exactly the text that is shown below it; the SDK's log is ignored. The
tests of README.md must pass with pytest and with Node's test runner. Needs requests, pytest, the vendor's SDK, and
Node 20 or newer. Exit code 0 if all programs succeed.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Chapter whose programs print the text below them.
PROGRAMS = ("tests/README.md", "Clients")
# Chapter whose programs are tests.
TESTS = ("README.md", "Two tests")
# Language of a block: name of the program's file, command for a program, command for a test.
LANGUAGES = {
    "python": ("test_program.py", [sys.executable], [sys.executable, "-m", "pytest", "-q"]),
    "js": ("program.test.mjs", ["node"], ["node", "--test"]),
}
# Every heading of the chapter `Clients`, so that a removed program is noticed.
HEADINGS = [
    "Python: requests",
    "Python: Undetectable's own SDK",
    "Node: fetch",
    "A webhook receiver in Python",
    "A webhook receiver in Node",
]
TIMEOUT_S = 120
# A line of the SDK's log, which goes to standard output.
LOG = re.compile(r"^\[[-0-9T:.]+\] INFO: .*\n", re.M)


def chapter(path, heading):
    """Returns the text of a chapter of level 2."""
    text = (ROOT / path).read_text(encoding="utf-8")
    return re.search(rf"^## {heading}\n(.*?)^## ", text, re.M | re.S).group(1)


def sections(text):
    """Returns heading and text of each section of level 3."""
    parts = re.split(r"^### (.*)\n", text, flags=re.M)
    return list(zip(parts[1::2], parts[2::2]))


def blocks(text):
    """Returns language and text of each code block."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S)


def run(command, file, program, origin):
    """Writes the program to a file and runs it with the command. Returns the finished process."""
    file.write_text(program, encoding="utf-8")
    env = {**os.environ, "STUNTDOUBLE": origin, "no_proxy": "*", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [*command, file], cwd=ROOT, env=env, capture_output=True, text=True, timeout=TIMEOUT_S
    )


def check_program(heading, section, origin, folder):
    (language, program), (plain, shown) = blocks(section)
    assert plain == "", f"{heading}: the second block must be the expected output"
    name, command, _ = LANGUAGES[language]
    result = run(command, folder / name, program, origin)
    if result.returncode != 0 or LOG.sub("", result.stdout) != shown:
        sys.exit(
            f"{heading}: exit code {result.returncode}, output:\n{result.stdout}{result.stderr}expected:\n{shown}"
        )
    for line in shown.splitlines():
        print(f"{heading}: {line}")


def check_test(language, program, origin, folder):
    name, _, command = LANGUAGES[language]
    result = run(command, folder / name, program, origin)
    if result.returncode != 0:
        sys.exit(f"{TESTS}, {language}: exit code {result.returncode}\n{result.stdout}{result.stderr}")
    print(f"README.md: the {language} test passed")


def main(origin):
    programs = sections(chapter(*PROGRAMS))
    headings = [heading for heading, _ in programs]
    assert headings == HEADINGS, f"expected {HEADINGS}, got {headings}"
    tests = blocks(chapter(*TESTS))
    languages = [language for language, _ in tests]
    assert languages == list(LANGUAGES), f"expected {list(LANGUAGES)}, got {languages}"
    with tempfile.TemporaryDirectory() as folder:
        for heading, section in programs:
            check_program(heading, section, origin, Path(folder))
        for language, program in tests:
            check_test(language, program, origin, Path(folder))


if __name__ == "__main__":
    main(sys.argv[1])
