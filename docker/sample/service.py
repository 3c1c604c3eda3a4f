#!/usr/bin/env python3
"""A service as yours might be: has a picture judged by both vendors, and listens for the webhook.

Where the vendors are is told from outside, so that tests point it at stuntdouble:

    BIZMORI_URL       such as http://stuntdouble:8080
    UNDETECTABLE_URL  the same
    RECEIVER_URL      where the vendor reaches this service, such as http://sample:9000
    LISTEN            the address to listen on, such as 0.0.0.0:9000
    API_KEY           any word

Prints what it learnt, and ends with exit code 0 if all went well. Python's standard library only.
"""

import hashlib
import hmac
import http.server
import json
import os
import queue
import struct
import sys
import threading
import time
import zlib
from urllib.request import ProxyHandler, Request, build_opener

PATIENCE_S = 30
BIZMORI = os.environ["BIZMORI_URL"].rstrip("/")
UNDETECTABLE = os.environ["UNDETECTABLE_URL"].rstrip("/")
RECEIVER = os.environ["RECEIVER_URL"].rstrip("/")
LISTEN = os.environ.get("LISTEN", "0.0.0.0:9000")
KEY = os.environ.get("API_KEY", "sample")
PNG = b"\x89PNG\r\n\x1a\n"

# Nobody's proxy stands between a service and its test double.
opener = build_opener(ProxyHandler({}))


def call(method, url, body=None, headers=None):
    """One call: the answer's bytes. Anything but 2xx raises."""
    headers = dict(headers or {})
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
    with opener.open(Request(url, body, headers, method=method), timeout=PATIENCE_S) as answer:
        return answer.read()


def bizmori(method, path, body=None):
    authorization = {"Authorization": f"Bearer {KEY}"}
    return json.loads(call(method, BIZMORI + path, body, authorization))["data"]


def undetectable(method, path, body=None):
    return json.loads(call(method, UNDETECTABLE + path, body, {"apikey": KEY}))


def expect(what, found, expected):
    if found != expected:
        sys.exit(f"{what} is {found!r}, not {expected!r}")
    print(f"{what}: {found}", flush=True)


def ours(what, url, base):
    """A URL that was handed out leads where we asked, whatever stands between."""
    if not url.startswith(base + "/"):
        sys.exit(f"{what} is {url}, which is not below {base}")
    return url


def picture():
    """A PNG of 64 by 64 pixels."""
    def chunk(kind, data):
        content = kind + data
        return struct.pack(">I", len(data)) + content + struct.pack(">I", zlib.crc32(content))

    rows = b"".join(
        b"\0" + bytes(channel for x in range(64) for channel in (4 * x, 4 * y, x * y % 256))
        for y in range(64)
    )
    header = struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)
    return PNG + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class Receiver(http.server.BaseHTTPRequestHandler):
    """Keeps what comes with a right signature, and refuses the rest."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        expected = hmac.new(self.server.secret, body, hashlib.sha256).hexdigest()
        good = hmac.compare_digest(expected, self.headers.get("X-MoriBiz-Signature", ""))
        self.send_response(204 if good else 401)
        self.end_headers()
        if good:
            self.server.webhooks.put(json.loads(body))
        else:
            print("a webhook with a wrong signature was refused", file=sys.stderr)

    def log_message(self, *_):
        pass


def listen():
    host, port = LISTEN.rsplit(":", 1)
    server = http.server.ThreadingHTTPServer((host, int(port)), Receiver)
    server.webhooks = queue.Queue()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def judged_by_bizmori(receiver):
    webhook = bizmori("POST", "/api/v2/orders/webhooks", {"url": RECEIVER + "/webhooks"})
    receiver.secret = webhook["secret"].encode()
    order = bizmori(
        "POST",
        "/api/v2/orders/ai-detection",
        {
            "idempotencyKey": f"create-{time.time_ns()}",
            "fileName": "holiday.png",
            "options": {"generateHeatmap": True},
        },
    )
    call("PUT", ours("uploadUrl", order["file"]["uploadUrl"], BIZMORI), picture())
    confirm = {"idempotencyKey": f"confirm-{time.time_ns()}", "orderId": order["orderId"]}
    bizmori("POST", "/api/v2/orders/ai-detection/confirm", confirm)

    event = receiver.webhooks.get(timeout=PATIENCE_S)
    expect("webhook", event["eventType"], "order.aiDetection.completed")
    expect("webhook's order is ours", event["data"]["orderId"] == order["orderId"], True)
    detail = bizmori("GET", f"/api/v2/orders/{order['orderId']}")
    expect("order", detail["status"], "complete")
    heatmap = call("GET", ours("heatmapUrl", detail["heatmapUrl"], BIZMORI))
    expect("heatmap is a PNG", heatmap[:8] == PNG, True)


def judged_by_undetectable():
    slot = undetectable("GET", "/get-presigned-url?file_name=holiday_ai.png")
    url = ours("presigned_url", slot["presigned_url"], UNDETECTABLE)
    call("PUT", url, picture(), {"Content-Type": "image/png", "x-amz-acl": "private"})
    asked = {"key": KEY, "url": f"{UNDETECTABLE}/{slot['file_path']}", "generate_preview": True}
    document = undetectable("POST", "/detect", asked)
    deadline = time.monotonic() + PATIENCE_S
    # Done comes first, the activation map a little later.
    while (document.get("result_details") or {}).get("heatmap_status") != "ready":
        if time.monotonic() > deadline or document["status"] == "failed":
            sys.exit(f"the document does not come to its end: {document}")
        time.sleep(0.1)
        document = undetectable("POST", "/query", {"id": document["id"]})
    expect("document", document["status"], "done")
    details = document["result_details"]
    expect("final_result", details["final_result"], "AI Generated")
    heatmap = call("GET", ours("heatmap_url", details["heatmap_url"], UNDETECTABLE))
    expect("activation map is a PNG", heatmap[:8] == PNG, True)


def main():
    receiver = listen()
    judged_by_bizmori(receiver)
    judged_by_undetectable()
    print("both vendors have judged the picture", flush=True)


if __name__ == "__main__":
    main()
