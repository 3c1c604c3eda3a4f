#!/usr/bin/env python3
"""Prints the code blocks of one chapter of a Markdown file that are in one language, `sh` by default.

    blocks.py docker/README.md "## The image" [sh]
"""

import re
import sys


def main():
    path, heading, language = [*sys.argv[1:], "sh"][:3]
    level = heading.split(" ")[0]
    with open(path, encoding="utf-8") as file:
        _, found, rest = file.read().partition(f"\n{heading}\n")
    chapter = rest.split(f"\n{level} ")[0]
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", chapter, re.MULTILINE | re.DOTALL)
    if not found or not blocks:
        sys.exit(f"{path} has no {language} blocks under {heading}")
    print("\n".join(blocks))


if __name__ == "__main__":
    main()
