#!/usr/bin/env python3
"""Prints the licenses of all third-party software in the container image's program, as one text.

    docker/third_party.py [--expression] [--manifest-path Cargo.toml] > THIRD-PARTY.txt

The text has every crate that the program depends on, macros included, and what is linked without being
a crate: Rust's standard library, glibc, GCC's runtime, SQLite, the font of the reports, Swagger UI, the dashboard's Preact and htm.
--expression prints only the SPDX expression of the whole image, which its label repeats.

Needs cargo, rustc and Debian's libc6-dev. Ends with exit code 1 if a part has no license text.
"""

import argparse
import html
import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OWN_LICENSE = "MIT"

# Accepted licenses, and a phrase of each license's text. If a part has a choice of licenses, the first of this
# list is used: the licenses at the top are shared by most parts, so that their texts appear once.
LICENSES = {
    "MIT": "Permission is hereby granted, free of charge, to any person obtaining a copy",
    "Apache-2.0": "TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION",
    "Apache-2.0 WITH LLVM-exception": "LLVM Exceptions",
    "ISC": "Permission to use, copy, modify, and/or distribute this software for any purpose",
    "BSD-2-Clause": "Redistribution and use in source and binary forms",
    "BSD-3-Clause": "Redistribution and use in source and binary forms",
    "BlueOak-1.0.0": "Blue Oak Model License",
    "Unicode-3.0": "UNICODE LICENSE V3",
    "Zlib": "Permission is granted to anyone to use this software for any purpose",
    "GPL-3.0-or-later WITH GCC-exception-3.1": "GCC RUNTIME LIBRARY EXCEPTION",
    "LGPL-2.1-or-later": "GNU LESSER GENERAL PUBLIC LICENSE",
    "OFL-1.1": "SIL OPEN FONT LICENSE",
    "blessing": "May you do good and not evil",
}
# Licenses by the ending of a license file's name, such as LICENSE-MIT.
FILE_LICENSES = {
    "0bsd": "0BSD", "apache": "Apache-2.0", "apache-2.0": "Apache-2.0", "boost": "BSL-1.0",
    "apache-2.0_with_llvm-exception": "Apache-2.0 WITH LLVM-exception", "bsd": "BSD-2-Clause",
    "cc0": "CC0-1.0", "isc": "ISC", "mit": "MIT", "mit0": "MIT-0", "unicode": "Unicode-3.0",
    "unlicense": "Unlicense", "zlib": "Zlib",
}
LICENSE_FILE = re.compile(r"(licen[sc]es?|copying|copyright|notice|unlicense)\b", re.IGNORECASE)
# Crates whose license file is a broken link, and a crate of the same authors that has the text.
SAME_TEXT = {"sqlx-core": "sqlx", "sqlx-macros": "sqlx", "sqlx-macros-core": "sqlx", "sqlx-sqlite": "sqlx"}
# Crates in the standard library that are neither in Rust's list of notices nor in the program. All have the MIT
# license.
STD_COPYRIGHTS = {
    "addr2line": "Copyright (c) 2016-2018 The gimli Developers",
    "object": "Copyright (c) 2015 The Gimli Developers",
}
# Library files of Rust that are not third-party crates, or that only tests and macros are linked with.
STD_OWN = {"alloc", "compiler_builtins", "core", "getopts", "panic_abort", "panic_unwind", "proc_macro",
           "profiler_builtins", "rustc_literal_escaper", "rustc_std_workspace_alloc",
           "rustc_std_workspace_core", "rustc_std_workspace_std", "std", "std_detect", "sysroot", "test",
           "unwind"}
# Copyright notices of the rest of the standard library, of its compiler-rt and of its libm.
STD_NOTICES = """Copyright (c) The Rust Project Contributors
Copyright (c) 2009-2016 by the contributors listed in LLVM's CREDITS.TXT
Copyright (c) 2018 Jorge Aparicio
Copyright (c) 2005-2020 Rich Felker, et al."""


class Part:
    """A piece of software: its name, its license as used here, and the texts that apply."""

    def __init__(self, name, license, texts, note=""):
        self.name, self.note = name, note
        self.licenses = chosen(license, name)
        self.texts = [text.strip("\n") for text in texts if text.strip()]
        if not self.texts:
            sys.exit(f"{name} has no license text")
        everything = squeeze("\n".join(self.texts)).lower()
        for one in self.licenses:
            if squeeze(LICENSES[one]).lower() not in everything:
                sys.exit(f"{name} has no text of the license {one}")


def chosen(expression, name):
    """Returns the licenses of an SPDX expression that apply together, with one license for each choice."""
    tokens = re.findall(r"\(|\)|/|[^\s()/]+", expression)

    def parse_or():
        options = [parse_and()]
        while tokens and tokens[0] in ("OR", "/"):
            tokens.pop(0)
            options.append(parse_and())
        known = [option for option in options if all(one in LICENSES for one in option)]
        if not known:
            sys.exit(f"{name} has the license {expression}, which is not accepted")
        return min(known, key=lambda option: [list(LICENSES).index(one) for one in option])

    def parse_and():
        found = parse_one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            found = found + [one for one in parse_one() if one not in found]
        return found

    def parse_one():
        first = tokens.pop(0)
        if first == "(":
            inner = parse_or()
            tokens.pop(0)
            return inner
        if tokens and tokens[0] == "WITH":
            tokens.pop(0)
            first = f"{first} WITH {tokens.pop(0)}"
        return [first]

    return parse_or()


def squeeze(text):
    """Returns the text in one line, without quotes and comment marks, which differ between copies."""
    return " ".join(re.sub(r"//|[\"'`“”‘’*#>]", " ", text).split())


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def read(path):
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        sys.exit(f"{path}: {error.strerror}")


def crates(manifest, target):
    """Returns each crate's name, version, license and directory."""
    common = ["--manifest-path", manifest, "--locked"]
    metadata = json.loads(run("cargo", "metadata", "--format-version", "1", "--filter-platform", target, *common))
    root = metadata["resolve"]["root"]
    found = {(one["name"], one["version"]): one for one in metadata["packages"]}
    lines = run("cargo", "tree", "--edges", "normal", "--target", target, "--prefix", "none",
                "--format", "{p}", *common)
    for name, version in sorted({tuple(line.split()[:2]) for line in lines.splitlines() if line}):
        one = found[name, version.removeprefix("v")]
        if one["id"] != root:
            yield name, one["version"], one["license"], Path(one["manifest_path"]).parent


def crate_texts(license, folder):
    """Returns the texts in a crate's folder, without those of licenses that are not chosen."""
    offered = {one for one in re.split(r"\s+(?:OR|AND)\s+|[()/]", license or "") if one}
    wanted = set(chosen(license or "none", folder.name))
    for path in sorted(folder.iterdir()):
        inner = sorted(path.iterdir()) if path.is_dir() else [path]
        if not LICENSE_FILE.match(path.name) or path.suffix in (".rs", ".toml"):
            continue
        for file in inner:
            name = re.sub(r"\.(md|txt)$", "", file.name.lower())
            ending = re.sub(r"^(licen[sc]es?|copying|copyright)[-.]", "", name)
            meant = FILE_LICENSES.get(ending)
            # A file of a license that the crate does not offer is about a part of the crate.
            if meant is None or meant in wanted or meant not in offered:
                yield read(file)


def crate_parts(manifest, target):
    all_crates = list(crates(manifest, target))
    folders = {name: folder for name, _, _, folder in all_crates}
    for name, version, license, folder in all_crates:
        if not license:
            sys.exit(f"{name} {version} names no license")
        source = folders.get(SAME_TEXT.get(name), folder)
        yield Part(f"{name} {version}", license, crate_texts(license, source))


def standard_library(target, crates_by_name):
    """Returns the parts of Rust's standard library, by the notices that come with the compiler."""
    sysroot = Path(run("rustc", "--print", "sysroot").strip())
    docs = sysroot / "share/doc/rust"
    # Without the placeholder for a copyright notice.
    mit = re.sub(r".*<year>.*\n", "", read(docs / "licenses/MIT.txt"))
    others = [read(docs / "licenses" / f"{name}.txt") for name in ("Apache-2.0", "LLVM-exception", "Unicode-3.0")]
    yield Part(f"Rust's standard library {run('rustc', '--version').split()[1]}",
               "MIT AND Apache-2.0 AND Apache-2.0 WITH LLVM-exception AND Unicode-3.0",
               [STD_NOTICES, mit, *others])
    listed = std_notices(read(docs / "COPYRIGHT-library.html"))
    for library in sorted((sysroot / "lib/rustlib" / target / "lib").glob("lib*.rlib")):
        name = library.name.removeprefix("lib").rsplit("-", 1)[0]
        if name in STD_OWN:
            continue
        if name in listed:
            version, license, texts = listed[name]
            label = f"{name} {version}"
        elif name in STD_COPYRIGHTS:
            label, license, texts = name, "MIT", [f"{STD_COPYRIGHTS[name]}\n\n{mit}"]
        elif name in crates_by_name:
            part = crates_by_name[name]
            label, license, texts = name, " AND ".join(part.licenses), part.texts
        else:
            sys.exit(f"{name}, of Rust's standard library, has no license text")
        yield Part(f"{label}, in Rust's standard library", license, texts)


def std_notices(page):
    """Returns version, license and texts of each crate on the standard library's page of notices, by the
    library's name."""
    found = {}
    for section in page.split("<h3>📦 ")[1:]:
        name, version = re.match(r"(.+?)-(\d+\..*?)</h3>", section).groups()
        license = re.search(r"<b>License:</b> (.*?)</p>", section).group(1)
        files = re.findall(r"<summary><code>(.*?)</code></summary>\s*<pre>\n(.*?)</pre>", section, re.DOTALL)
        texts = [html.unescape(text) for file, text in files if "MIT" not in license or "APACHE" not in file]
        found[name.replace("-", "_")] = (version, license, texts)
    return found


def linked_parts(manifest, target):
    """Returns the parts that are neither crates nor part of Rust."""
    if not target.endswith("-linux-gnu"):
        sys.exit(f"the license text of the C library of {target} is not known")
    sysroot = Path(run("rustc", "--print", "sysroot").strip())
    libc = run("getconf", "GNU_LIBC_VERSION").strip().split()[1]
    yield Part(f"GNU C Library {libc}", "LGPL-2.1-or-later",
               [read("/usr/share/doc/libc6-dev/copyright"), read("/usr/share/common-licenses/LGPL-2.1")],
               "It is linked statically. To use another version of it, build the program again from its "
               "source, which is under the MIT license, with docker/Dockerfile.")
    yield Part("GCC's runtime library libgcc", "GPL-3.0-or-later WITH GCC-exception-3.1",
               [read(sysroot / "share/doc/rust/licenses/GCC-exception-3.1.txt")],
               "Copyright (C) Free Software Foundation, Inc. The exception allows programs that a GCC compiler "
               "or a compatible one has built to be under terms of their own.")
    sqlite = [folder for name, _, _, folder in crates(manifest, target) if name == "libsqlite3-sys"]
    for folder in sqlite:
        source = read(folder / "sqlite3/sqlite3.c")
        version = re.search(r'#define SQLITE_VERSION +"(.*?)"', source).group(1)
        blessing = re.search(r"\*\* The author disclaims copyright.*?taking more than you give\.", source, re.DOTALL)
        text = re.sub(r"^\*\* ?", "", blessing.group(), flags=re.MULTILINE)
        yield Part(f"SQLite {version}", "blessing", [text])
    yield Part("Noto Sans CJK JP, the font of reports", "OFL-1.1", [read(ROOT / "src/engine/font/OFL.txt")])
    docs = ROOT / "src/http/docs"
    version = re.search(r"swagger-ui-dist` ([0-9.]+)", read(docs / "README.md")).group(1)
    yield Part(f"Swagger UI {version}", "Apache-2.0",
               [read(docs / name) for name in ("LICENSE", "NOTICE", "swagger-ui-bundle.js.LICENSE.txt")])
    vendor = ROOT / "src/api/control/dashboard/ui/vendor"
    versions = dict(re.findall(r"\b(PREACT|HTM)=([0-9.]+)", read(vendor / "make.sh")))
    yield Part(f"Preact {versions['PREACT']}, in the dashboard", "MIT", [read(vendor / "LICENSE-preact")])
    yield Part(f"htm {versions['HTM']}, in the dashboard", "Apache-2.0", [read(vendor / "LICENSE-htm")])


# An Apache license up to its appendix, which only tells how to apply the license.
APACHE = re.compile(r"[^\n]*Apache License\s+Version 2\.0, January 2004.*?END OF TERMS AND CONDITIONS", re.DOTALL)
APPENDIX = re.compile(r"\s*APPENDIX: How to apply the Apache License to your work\..*?limitations under the License\.",
                      re.DOTALL)
# A copyright notice, but not a sentence about copyright notices.
COPYRIGHT = re.compile(r"\s*(?:portions (?:of this work )?)?copyright\b(?! (?:notice|holder|owner|and|law)).*",
                       re.IGNORECASE)
TITLE = re.compile(r"\W*(?:the )?(?:mit|isc|bsd|zlib) license\W*(?:\(mit\))?\W*|\W*license\W*", re.IGNORECASE)


def pieces(text):
    """Returns the leading copyright lines of a text, and the rest, split where licenses begin."""
    found = APACHE.search(text)
    if found:
        after = text[found.end():]
        appendix = APPENDIX.search(after)
        # Some authors put their copyright notice into the appendix.
        owner = [line.strip() for line in (appendix.group() if appendix else "").splitlines()
                 if COPYRIGHT.match(line) and not re.search(r"[\[{]", line)]
        rest = text[:found.start()] + "\n" + APPENDIX.sub("", after)
        copyrights, bodies = pieces(rest)
        return owner + copyrights, [found.group(), *bodies]
    lines = text.splitlines()
    copyrights = []
    while lines and (not lines[0].strip() or COPYRIGHT.match(lines[0]) or TITLE.fullmatch(lines[0])):
        line = lines.pop(0).strip()
        if not COPYRIGHT.match(line):
            continue
        copyrights.append(line)
        # A notice may have several lines, up to an empty line.
        while lines and lines[0].strip() and not COPYRIGHT.match(lines[0]):
            copyrights.append(lines.pop(0).strip())
    body = "\n".join(lines).strip("\n")
    return copyrights, [body] if body.strip() else []


def render(parts):
    """Returns the whole text: the list of parts with the numbers of their license texts, then the texts."""
    numbers, bodies, listing = {}, [], []
    for part in parts:
        refs, copyrights = [], []
        for text in part.texts:
            lines, found = pieces(text)
            copyrights += [line for line in lines if line not in copyrights]
            for body in found:
                key = squeeze(body).lower()
                if key not in numbers:
                    numbers[key] = len(numbers) + 1
                    bodies.append(body)
                if numbers[key] not in refs:
                    refs.append(numbers[key])
        listing.append(f"{part.name}\n  {' AND '.join(part.licenses)}: text {', '.join(map(str, refs))}\n")
        if part.note:
            listing.append(textwrap.indent(textwrap.fill(part.note, 98), "  ") + "\n")
        listing += [f"  {line}\n" for line in copyrights]
    texts = [f"{'-' * 34} text {number}\n\n{textwrap.dedent(body)}\n\n" for number, body in enumerate(bodies, 1)]
    return "".join(listing) + "\n" + "".join(texts)


def expression(parts):
    used = {one for part in parts for one in part.licenses} | {OWN_LICENSE}
    return " AND ".join(f"({one})" if "WITH" in one else one for one in LICENSES if one in used)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--expression", action="store_true")
    arguments.add_argument("--manifest-path", default=str(ROOT / "Cargo.toml"))
    options = arguments.parse_args()
    target = run("rustc", "--print", "host-tuple").strip()
    of_crates = list(crate_parts(options.manifest_path, target))
    own = {part.name.split()[0]: part for part in of_crates}
    parts = of_crates + list(standard_library(target, own)) + list(linked_parts(options.manifest_path, target))
    if options.expression:
        print(expression(parts))
        return
    print(f"""Third-party software in stuntdouble, with its licenses

SPDX-License-Identifier: {expression(parts)}

This is the license of the whole, including stuntdouble's own MIT license. Each part is listed with its
license, the numbers of its license texts, and its copyright notices. The texts follow the list. Texts that
differ only in their line breaks appear once.

{render(parts)}""", end="")


if __name__ == "__main__":
    main()
