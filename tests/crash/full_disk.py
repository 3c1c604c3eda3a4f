#!/usr/bin/env python3
"""Runs the real server on a full disk, and checks that it reports the problem and continues afterwards.

    tests/crash/full_disk.py target/release/stuntdouble

The disk is a tmpfs of 16 MiB in a new mount namespace. Creating one needs root or user namespaces. Checks:

- a PUT answers 500 InternalError, with the reason and the path, and leaves no file;
- errors of BIZ MORI, Undetectable and the control plane have the same reason;
- a webhook that was sent and cannot be recorded is not sent again;
- the server survives, and everything works once there is space again.

Exit code: 0 all checks passed, 1 a check failed, 2 usage, 4 the disk cannot be created here.
"""

import sys

sys.dont_write_bytecode = True

import http.client
import json
import os
import shutil
import subprocess
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from server import Server

INSIDE = "STUNTDOUBLE_TEST_INSIDE"
KEY = "live"
PICTURE = Path(__file__).parents[2] / "fixtures" / "photo.jpg"


def within_own_mounts():
    """Executes this program again in a new mount namespace."""
    if os.environ.get(INSIDE):
        return
    options = ["--mount"] if os.geteuid() == 0 else ["--mount", "--map-root-user"]
    if subprocess.run(["unshare", *options, "true"], capture_output=True).returncode != 0:
        print("cannot create a mount namespace: run this program as root", file=sys.stderr)
        sys.exit(4)
    environment = {**os.environ, INSIDE: "yes"}
    os.execvpe("unshare", ["unshare", *options, sys.executable, *sys.argv], environment)


class Webhooks(BaseHTTPRequestHandler):
    """Refuses the first webhook, so that a second attempt becomes due, and accepts the others."""

    received = []

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        Webhooks.received.append(self.rfile.read(length))
        self.send_response(500 if len(Webhooks.received) == 1 else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Disk:
    def __init__(self, directory):
        self.data = os.path.join(directory, "data")
        self._ballast = os.path.join(self.data, "ballast")
        os.mkdir(self.data)
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", self.data], check=True
        )

    def fill(self):
        with open(self._ballast, "wb", buffering=0) as ballast:
            for size in (1 << 16, 1 << 12, 1):
                try:
                    while True:
                        ballast.write(b"\0" * size)
                except OSError:
                    pass

    def free(self):
        os.remove(self._ballast)

    def files(self):
        found = []
        for folder, _, names in os.walk(self.data):
            found += [os.path.join(folder, name) for name in names]
        return {f for f in found if "/blobs/" in f or "/tmp/" in f}


def put(server, url):
    """PUTs a picture. Returns status, body and reason of the response."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        connection.request("PUT", f"{parts.path}?{parts.query}", PICTURE.read_bytes())
        response = connection.getresponse()
        return response.status, response.read().decode(), response.getheader("X-Mock-Reason")
    finally:
        connection.close()


def reason(server, method, path, body, headers):
    """Makes a call. Returns status and reason of the response."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        text = json.dumps(body)
        headers = {"Content-Type": "application/json", **headers}
        connection.request(method, path, text, headers)
        response = connection.getresponse()
        response.read()
        return response.status, response.getheader("X-Mock-Reason")
    finally:
        connection.close()


def check(name, actual, expected):
    if actual != expected:
        raise SystemExit(f"FAILED: {name}: expected {expected!r}, got {actual!r}")
    print(f"passed: {name}", flush=True)


def bizmori(server, method, path, body=None):
    status, answer = server.call(method, path, body, 20, KEY)
    if status != 200:
        raise SystemExit(f"FAILED: {method} {path} answered {status} {answer}")
    return answer["data"]


def order(server, key):
    body = {"idempotencyKey": key, "fileName": "a_ai.jpg"}
    made = bizmori(server, "POST", "/api/v2/orders/ai-detection", body)
    return made["orderId"], made["file"]["uploadUrl"]


def confirm(server, order_id):
    body = {"idempotencyKey": f"c{order_id}", "orderId": order_id}
    bizmori(server, "POST", "/api/v2/orders/ai-detection/confirm", body)


def advance(server, by="PT1S"):
    return server.call("POST", "/_mock/clock/advance", {"account": KEY, "by": by}, 60)


def run(server, disk, hook_url):
    full = f"the disk of the data directory {disk.data} is full"
    frozen = {"account": KEY, "mode": "frozen", "now": "2026-03-12T10:00:00Z"}
    server.call("PUT", "/_mock/clock", frozen)
    bizmori(server, "POST", "/api/v2/orders/webhooks", {"url": hook_url})
    due, url = order(server, "due")
    put(server, url)
    confirm(server, due)
    advance(server, "PT0.5S")
    check("webhooks sent before the disk is full", len(Webhooks.received), 1)
    waiting, upload = order(server, "waiting")

    disk.fill()
    before = disk.files()
    status, body, message = put(server, upload)
    check("status of a PUT", (status, "<Code>InternalError</Code>" in body), (500, True))
    check("reason of a PUT", message, full)
    check("files that a refused PUT leaves", disk.files() - before, set())
    bearer = {"Authorization": f"Bearer {KEY}"}
    create = {"idempotencyKey": "x", "fileName": "a.jpg"}
    # The rest of the database log's last page is still writable. Orders fill it.
    for number in range(2_000):
        create["idempotencyKey"] = f"x{number}"
        status, message = reason(server, "POST", "/api/v2/orders/ai-detection", create, bearer)
        if status != 200:
            break
    check("error of BIZ MORI", (status, message), (500, full))
    path = "/get-presigned-url?file_name=a.jpg"
    error = reason(server, "GET", path, {}, {"apikey": KEY})
    check("error of Undetectable", error, (500, full))
    for number in range(3):
        status, answer = advance(server)
        error = (status, answer["error"]["code"], answer["error"]["message"])
        check(f"error of advance, call {number + 1}", error, (500, "disk_full", full))
    check("webhooks sent while they cannot be recorded", len(Webhooks.received), 2)
    status, _ = server.call("GET", "/_mock/health")
    check("health", status, 200)

    disk.free()
    status, answer = advance(server)
    check("advance once there is space", status, 200)
    detail = bizmori(server, "GET", f"/api/v2/orders/{due}")
    check("the order of the webhook", detail["status"], "complete")
    _, answer = server.call("GET", f"/_mock/deliveries?account={KEY}")
    attempts = [(sent["attempt"], sent["status"]) for sent in answer["deliveries"]]
    check("recorded attempts", attempts, [(1, 500), (2, 200)])
    status, _, _ = put(server, upload)
    check("the PUT that was refused before", status, 200)
    confirm(server, waiting)
    advance(server)
    detail = bizmori(server, "GET", f"/api/v2/orders/{waiting}")
    check("the order that waited for space", detail["status"], "complete")
    check("webhooks sent in total", len(Webhooks.received), 3)


def main():
    if len(sys.argv) != 2 or not os.access(sys.argv[1], os.X_OK):
        print(__doc__, file=sys.stderr)
        return 2
    within_own_mounts()
    hooks = ThreadingHTTPServer(("127.0.0.1", 0), Webhooks)
    threading.Thread(target=hooks.serve_forever, daemon=True).start()
    directory = tempfile.mkdtemp(prefix="stuntdouble-disk-")
    disk = Disk(directory)
    server = Server(sys.argv[1], directory, 0)
    try:
        server.start()
        server.wait_ready()
        run(server, disk, f"http://127.0.0.1:{hooks.server_port}/hook")
    finally:
        server.kill()
        subprocess.run(["umount", disk.data], check=False)
        shutil.rmtree(directory, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
