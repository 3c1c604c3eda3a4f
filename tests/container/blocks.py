#!/usr/bin/env python3
"""The shell blocks of one chapter of a Markdown file, as one script.

    blocks.py README.md "## Docker"
"""

import re
import sys


def main():
    path, heading = sys.argv[1:]
    level = heading.split(" ")[0]
    with open(path, encoding="utf-8") as file:
        _, found, rest = file.read().partition(f"\n{heading}\n")
    chapter = rest.split(f"\n{level} ")[0]
    blocks = re.findall(r"^```sh\n(.*?)^```$", chapter, re.MULTILINE | re.DOTALL)
    if not found or not blocks:
        sys.exit(f"{path} has no shell blocks under {heading}")
    print("\n".join(blocks))


if __name__ == "__main__":
    main()
