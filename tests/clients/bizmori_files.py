#!/usr/bin/env python3
"""Makes output files of BIZ MORI's orders over HTTP, and opens them with other programs.

    tests/clients/bizmori_files.py ORIGIN FOLDER

Embeds texts in a file of every format and extracts them again, protects a picture of every format by URL, and
makes a report in each language. FOLDER then has `marked/` (which watermark_files.py reads too), `protected/` and
`reports/`. Pillow opens the pictures; poppler's pdfinfo, pdffonts and pdftotext open the reports. Exit code 0 if
all files are as expected.
"""

import subprocess
import sys
from pathlib import Path

import requests
from PIL import Image

FIXTURES = Path(__file__).resolve().parent.parent.parent / "fixtures"
MARKED = ["photo.jpg", "progressive.jpg", "plain.png", "plain.webp", "plain.bmp", "plain.tiff",
          "table.pdf", "stream.pdf"]
PROTECTED = ["jpg", "jpeg", "png", "webp", "bmp", "tiff", "tif"]
TEXTS = ["one", "두 번째 물결", "三つ目 🎨 " * 100]
# A word that appears only in the result of each language's report.
WORDS = {"ko-KR": "검출", "en-US": "Detected", "ja-JP": "検出"}


class Client:
    """A client of one key. It advances the key's clock instead of waiting."""

    def __init__(self, origin, key):
        self.origin = origin
        self.key = key
        self.session = requests.Session()
        self.session.trust_env = False
        self.order_count = 0

    def call(self, method, path, body=None):
        headers = {"Authorization": f"Bearer {self.key}"}
        answer = self.session.request(method, self.origin + path, json=body, headers=headers)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text} {answer.headers}"
        return answer.json()["data"]

    def create(self, path, body):
        self.order_count += 1
        return self.call("POST", path, {"idempotencyKey": str(self.order_count), **body})

    def put(self, url, data):
        answer = self.session.put(url, data=data)
        assert (answer.status_code, answer.text) == (200, ""), answer.text

    def finish(self, order):
        """Advances the clock and returns the order, which must be complete."""
        body = {"account": self.key, "by": "PT1S"}
        answer = self.session.post(f"{self.origin}/_mock/clock/advance", json=body)
        assert answer.ok, answer.text
        detail = self.call("GET", f"/api/v2/orders/{order['orderId']}")
        assert detail["status"] == "complete", detail
        return detail

    def fetch(self, url):
        answer = self.session.get(url)
        assert answer.ok, answer.text
        return answer.content

    def download(self, order):
        answer = self.call("GET", f"/api/v2/orders/{order['orderId']}/download")
        return self.fetch(answer["downloadUrl"])


def mark(client, name):
    """Returns the marked file, after extracting its texts under another name."""
    watermarks = [{"text": text} for text in TEXTS]
    file = {"fileName": name, "watermarks": watermarks}
    order = client.create("/api/v2/orders/wtr-embed", {"files": [file]})
    client.put(order["files"][0]["uploadUrl"], (FIXTURES / name).read_bytes())
    client.finish(order)
    marked = client.download(order)
    found = extract(client, f"another{Path(name).suffix}", marked)
    assert found["watermarkText"] == "\n".join(TEXTS), found
    return marked


def extract(client, name, data):
    order = client.create("/api/v2/orders/wtr-extract", {"file": {"fileName": name}})
    client.put(order["file"]["uploadUrl"], data)
    return client.finish(order)


def extract_v3(client, name, data):
    file = {"fileName": name, "originalFile": {"fileName": f"original{Path(name).suffix}"}}
    order = client.create("/api/v3/orders/wtr-extract", {"file": file})
    for new in order["files"]:
        client.put(new["uploadUrl"], data)
    return client.finish(order)


def protect(client, extension):
    file = {"fileName": f"a.{extension}", "imageUrl": f"http://files.test/a.{extension}"}
    order = client.create("/api/v2/orders/anti-ai/with-urls", {"files": [file]})
    client.finish(order)
    return client.download(order)


def report(client, order_id, locale):
    path = f"/api/v3/orders/{order_id}/reports"
    client.call("POST", path, {"locale": locale})
    client.finish({"orderId": order_id})
    answer = client.call("GET", f"{path}/{locale}")
    assert answer["status"] == "completed", answer
    return client.fetch(answer["download"]["url"])


def tool(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not done.stderr, f"{command}: {done.stderr}"
    return done.stdout


def check_report(path, order_id, locale):
    assert "Pages:           1" in tool("pdfinfo", path), f"{path}: expected one page"
    fonts = tool("pdffonts", path).splitlines()[2:]
    assert fonts and all(" yes yes yes " in line for line in fonts), f"{path}: {fonts}"
    text = tool("pdftotext", "-layout", path, "-")
    for expected in (order_id, WORDS[locale], "MORI TEST WATERMARK"):
        assert expected in text, f"{path}: expected {expected} in:\n{text}"


def main(origin, folder):
    client = Client(origin, "files")
    for name in ("marked", "protected", "reports"):
        (folder / name).mkdir(parents=True)
    for name in MARKED:
        (folder / "marked" / name).write_bytes(mark(client, name))
        print(f"{name}: marked, and its texts extracted")
    for extension in PROTECTED:
        path = folder / "protected" / f"a.{extension}"
        path.write_bytes(protect(client, extension))
        with Image.open(path) as image:
            image.load()
            print(f"protected: {image.format} of {image.size}")
    found = extract_v3(client, "poster_detected.jpg", (FIXTURES / "photo.jpg").read_bytes())
    for locale in WORDS:
        path = folder / "reports" / f"{locale}.pdf"
        path.write_bytes(report(client, found["orderId"], locale))
        check_report(path, found["orderId"], locale)
        print(f"report: {locale}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
