#!/usr/bin/env python3
"""A sample service: sends a picture to both vendors, and receives the webhook.

Environment variables set the addresses, so that tests can use stuntdouble instead of the vendors:

    BIZMORI_URL       such as http://stuntdouble:8080
    UNDETECTABLE_URL  such as http://stuntdouble:8080
    RECEIVER_URL      this service as the vendor reaches it, such as http://sample:9000
    LISTEN            address to listen on, such as 0.0.0.0:9000
    API_KEY           any word

Prints its results. Exit code 0 if all of them are as expected. Uses Python's standard library only.
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

TIMEOUT_S = 30
BIZMORI = os.environ["BIZMORI_URL"].rstrip("/")
UNDETECTABLE = os.environ["UNDETECTABLE_URL"].rstrip("/")
RECEIVER = os.environ["RECEIVER_URL"].rstrip("/")
LISTEN = os.environ.get("LISTEN", "0.0.0.0:9000")
KEY = os.environ.get("API_KEY", "sample")
PNG = b"\x89PNG\r\n\x1a\n"

# The test double is local: proxies of the environment do not apply.
opener = build_opener(ProxyHandler({}))


def call(method, url, body=None, headers=None):
    """Makes a call and returns the bytes of the response. Raises for any status but 2xx."""
    headers = dict(headers or {})
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
    with opener.open(Request(url, body, headers, method=method), timeout=TIMEOUT_S) as response:
        return response.read()


def bizmori(method, path, body=None):
    authorization = {"Authorization": f"Bearer {KEY}"}
    return json.loads(call(method, BIZMORI + path, body, authorization))["data"]


def undetectable(method, path, body=None):
    return json.loads(call(method, UNDETECTABLE + path, body, {"apikey": KEY}))


def expect(name, actual, expected):
    if actual != expected:
        sys.exit(f"{name}: expected {expected!r}, got {actual!r}")
    print(f"{name}: {actual}", flush=True)


def checked_url(name, url, base):
    """Returns a URL of a response, after checking that it has the origin that this service called."""
    if not url.startswith(base + "/"):
        sys.exit(f"{name}: expected a URL below {base}, got {url}")
    return url


def picture():
    """Returns a PNG of 64 by 64 pixels."""
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
    """Stores webhooks with a valid signature, and refuses others."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        expected = hmac.new(self.server.secret, body, hashlib.sha256).hexdigest()
        is_valid = hmac.compare_digest(expected, self.headers.get("X-MoriBiz-Signature", ""))
        self.send_response(204 if is_valid else 401)
        self.end_headers()
        if is_valid:
            self.server.webhooks.put(json.loads(body))
        else:
            print("refused a webhook with a wrong signature", file=sys.stderr)

    def log_message(self, *_):
        pass


def listen():
    host, port = LISTEN.rsplit(":", 1)
    server = http.server.ThreadingHTTPServer((host, int(port)), Receiver)
    server.webhooks = queue.Queue()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def detect_with_bizmori(receiver):
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
    call("PUT", checked_url("uploadUrl", order["file"]["uploadUrl"], BIZMORI), picture())
    confirm = {"idempotencyKey": f"confirm-{time.time_ns()}", "orderId": order["orderId"]}
    bizmori("POST", "/api/v2/orders/ai-detection/confirm", confirm)

    event = receiver.webhooks.get(timeout=TIMEOUT_S)
    expect("webhook", event["eventType"], "order.aiDetection.completed")
    expect("webhook has the order's id", event["data"]["orderId"] == order["orderId"], True)
    detail = bizmori("GET", f"/api/v2/orders/{order['orderId']}")
    expect("order", detail["status"], "complete")
    heatmap = call("GET", checked_url("heatmapUrl", detail["heatmapUrl"], BIZMORI))
    expect("heatmap is a PNG", heatmap[:8] == PNG, True)


def detect_with_undetectable():
    slot = undetectable("GET", "/get-presigned-url?file_name=holiday_ai.png")
    url = checked_url("presigned_url", slot["presigned_url"], UNDETECTABLE)
    call("PUT", url, picture(), {"Content-Type": "image/png", "x-amz-acl": "private"})
    body = {"key": KEY, "url": f"{UNDETECTABLE}/{slot['file_path']}", "generate_preview": True}
    document = undetectable("POST", "/detect", body)
    deadline = time.monotonic() + TIMEOUT_S
    # The document is done first; its activation map follows a little later.
    while (document.get("result_details") or {}).get("heatmap_status") != "ready":
        if time.monotonic() > deadline or document["status"] == "failed":
            sys.exit(f"the document did not finish: {document}")
        time.sleep(0.1)
        document = undetectable("POST", "/query", {"id": document["id"]})
    expect("document", document["status"], "done")
    details = document["result_details"]
    expect("final_result", details["final_result"], "AI Generated")
    heatmap = call("GET", checked_url("heatmap_url", details["heatmap_url"], UNDETECTABLE))
    expect("activation map is a PNG", heatmap[:8] == PNG, True)


def main():
    receiver = listen()
    detect_with_bizmori(receiver)
    detect_with_undetectable()
    print("both vendors returned a result", flush=True)


if __name__ == "__main__":
    main()
