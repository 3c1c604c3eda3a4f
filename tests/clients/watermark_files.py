#!/usr/bin/env python3
"""Checks that other programs read files with our watermarks without complaints.

    tests/clients/watermark_files.py FOLDER

Pillow opens the pictures, `qpdf --check` and `pdftoppm` (Debian: qpdf, poppler-utils) the PDFs. Every file must
have the format of its extension. Exit code 0 if no program reports an error or a warning.
"""

import subprocess
import sys
import warnings
from pathlib import Path

from PIL import Image

FORMATS = {".jpg": {"JPEG", "MPO"}, ".jpeg": {"JPEG", "MPO"}, ".png": {"PNG"}, ".webp": {"WEBP"},
           ".bmp": {"BMP"}, ".tif": {"TIFF"}, ".tiff": {"TIFF"}}


def picture(path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with Image.open(path) as image:
            image.verify()
        with Image.open(path) as image:
            image.load()
            if image.format not in FORMATS[path.suffix.lower()]:
                yield f"is a {image.format}"


def pdf(path):
    for command in (["qpdf", "--check", path], ["pdftoppm", "-r", "20", path]):
        done = subprocess.run(command, capture_output=True)
        if done.returncode != 0 or done.stderr:
            yield f"{command[0]}, exit code {done.returncode}: {done.stderr.decode(errors='replace').strip()}"


def main():
    files = sorted(path for path in Path(sys.argv[1]).iterdir() if path.is_file())
    complaints = 0
    for path in files:
        reader = pdf if path.suffix.lower() == ".pdf" else picture
        try:
            found = list(reader(path))
        except Exception as error:  # any exception of a reader is a complaint
            found = [f"{type(error).__name__}: {error}"]
        for complaint in found:
            print(f"{path.name}: {complaint}", file=sys.stderr)
        complaints += len(found)
    print(f"{len(files)} files, {complaints} complaints")
    sys.exit(1 if complaints or not files else 0)


if __name__ == "__main__":
    main()
