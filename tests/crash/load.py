"""The clients. Each creates, uploads and confirms one order after the other."""

import http.client
import random
import struct
import threading
import time
import zlib
from dataclasses import dataclass
from urllib.parse import urlsplit

from server import request_json

# By order type: its path, and whether a confirm starts the order. Else the upload starts it.
KINDS = {
    "aiDetection": ("ai-detection", True),
    "antiAi": ("anti-ai", True),
    "watermarkEmbed": ("wtr-embed", False),
}
ABANDON_CHANCE = 0.25
READ_CHANCE = 0.3
CALL_LIMIT_S = 10
FINISH_LIMIT_S = 30
HALTING_CHANCE = 0.1
HALTING_S = 0.02
SIDE_PIXELS = 40


@dataclass
class Order:
    """An order, and its progress as the client knows it."""

    key: str
    kind: str
    idempotency_key: str
    order_id: str | None = None
    upload_url: str | None = None
    upload_sent: bool = False
    uploaded: bool = False
    confirm_sent: bool = False
    # The server answered 200 to the call that starts the order.
    accepted: bool = False
    seen_complete: bool = False

    @property
    def may_run(self):
        """`True` if the order may have started, whether or not the response arrived."""
        _, confirms = KINDS[self.kind]
        return self.confirm_sent if confirms else self.upload_sent

    def __str__(self):
        known = [
            word
            for word, yes in (
                ("uploaded", self.uploaded),
                ("confirm sent", self.confirm_sent),
                ("accepted", self.accepted),
            )
            if yes
        ]
        return f"{self.kind} {self.order_id} of {self.key} ({', '.join(known) or 'created'})"


class Load:
    """All clients, their orders, and the violations that they saw."""

    def __init__(self, port, receiver, clients, kinds, seed):
        self.port = port
        self.kinds = kinds
        self.receiver = receiver
        self.orders = []
        self.violations = []
        # For each broken call: the times when its connection was opened and when it broke.
        self.breaks = []
        self.serving = threading.Event()
        self.finishing = threading.Event()
        self._clients = [
            Client(self, f"live-crash-{number}", random.Random(f"{seed} client {number}"))
            for number in range(clients)
        ]

    def start(self):
        """Registers every client's webhook, then starts the clients."""
        for client in self._clients:
            client.register()
        self.serving.set()
        for client in self._clients:
            client.thread.start()

    def hold(self):
        """Stops new calls while the server is down."""
        self.serving.clear()

    def release(self):
        """Allows calls again."""
        self.serving.set()

    def finish(self):
        """Waits until every client has finished its current order."""
        self.finishing.set()
        limit = time.monotonic() + FINISH_LIMIT_S
        for client in self._clients:
            client.thread.join(max(0.0, limit - time.monotonic()))
            if client.thread.is_alive():
                self.violations.append(f"{client.key}: cannot finish its last order")

    def counts(self):
        """Returns the numbers of actions so far."""
        orders = list(self.orders)
        return {
            "created": sum(order.order_id is not None for order in orders),
            "uploaded": sum(order.uploaded for order in orders),
            "accepted": sum(order.accepted for order in orders),
            "webhooks": len(self.receiver.copies),
            "broken": len(self.breaks),
        }


class Client:
    """An account, its connection, and its current order."""

    def __init__(self, load, key, rng):
        self.load = load
        self.key = key
        self.rng = rng
        self.thread = threading.Thread(target=self._run, daemon=True)
        self._connection = None
        self._opened = 0.0
        self._count = 0
        self._mine = []

    def register(self):
        """Registers this account's webhook, before the first kill."""
        body = {"name": "crash", "url": self.load.receiver.url(self.key)}
        status, answer = self._call("POST", "/api/v2/orders/webhooks", body)
        if status not in (200, 201):
            raise SystemExit(f"FAILED: register webhook: {status} {answer}")
        self.load.receiver.secrets[self.key] = answer["data"]["secret"]

    def _run(self):
        order = None
        while order is not None or not self.load.finishing.is_set():
            self.load.serving.wait()
            if order is None:
                order = self._new_order()
            try:
                if self._step(order):
                    order = None
                    self._read_some()
            except TimeoutError:
                self.load.violations.append(f"no answer within {CALL_LIMIT_S} s: {order}")
                return
            except (OSError, http.client.HTTPException):
                self.load.breaks.append((self._opened, time.monotonic()))
                self._connection = None
                time.sleep(0.005)
                if order is not None and self.rng.random() < ABANDON_CHANCE:
                    order = None

    def _new_order(self):
        self._count += 1
        kind = self.rng.choice(self.load.kinds)
        order = Order(self.key, kind, f"{self.key}-{self._count}")
        self.load.orders.append(order)
        self._mine.append(order)
        return order

    def _step(self, order):
        """Makes the order's next call. Returns `True` if it was the last."""
        path, confirms = KINDS[order.kind]
        if order.order_id is None:
            self._create(order, f"/api/v2/orders/{path}")
        elif not order.uploaded:
            self._upload(order)
            order.accepted = order.uploaded and not confirms
            return order.accepted or not order.uploaded
        else:
            self._confirm(order, f"/api/v2/orders/{path}/confirm")
            return True
        return order.order_id is None

    def _create(self, order, path):
        body = {"idempotencyKey": order.idempotency_key}
        if order.kind == "aiDetection":
            body["fileName"] = "photo.png"
            if self.rng.random() < 0.5:
                body["options"] = {"generateHeatmap": True, "generateThumbnail": True}
        elif order.kind == "antiAi":
            body["files"] = [{"fileName": "photo.png"}]
        else:
            body["files"] = [{"fileName": "photo.png", "watermarks": [{"text": "crash"}]}]
        status, answer = self._call("POST", path, body)
        if status != 200:
            self._violation(f"create answered {status} {answer}", order)
            return
        data = answer["data"]
        file = data["file"] if "file" in data else data["files"][0]
        order.upload_url = file["uploadUrl"]
        order.order_id = data["orderId"]

    def _upload(self, order):
        url = urlsplit(order.upload_url)
        connection = self._connected()
        order.upload_sent = True
        content = picture(self.rng)
        headers = {"Content-Type": "image/png", "Content-Length": str(len(content))}
        body = self._halting(content) if self.rng.random() < HALTING_CHANCE else content
        connection.request("PUT", f"{url.path}?{url.query}", body, headers)
        answer = connection.getresponse()
        content = answer.read()
        order.uploaded = answer.status == 200
        if not order.uploaded:
            self._violation(f"upload answered {answer.status} {content[:300]!r}", order)

    def _halting(self, content):
        """Yields the content in two parts with a pause, so that a kill can interrupt the upload."""
        middle = len(content) // 2
        yield content[:middle]
        time.sleep(self.rng.uniform(0, HALTING_S))
        yield content[middle:]

    def _confirm(self, order, path):
        order.confirm_sent = True
        body = {"idempotencyKey": f"{order.idempotency_key}-go", "orderId": order.order_id}
        status, answer = self._call("POST", path, body)
        order.accepted = status == 200
        if not order.accepted:
            self._violation(f"confirm answered {status} {answer}", order)
        elif answer["data"]["status"] not in ("inProgress", "complete"):
            self._violation(f"confirm says {answer['data']['status']}", order)

    def _read_some(self):
        """Reads an earlier order: an accepted or complete order must stay accepted or complete."""
        order = self.rng.choice(self._mine)
        if self.rng.random() > READ_CHANCE or order.order_id is None:
            return
        was_accepted, was_complete = order.accepted, order.seen_complete
        status, answer = self._call("GET", f"/api/v2/orders/{order.order_id}")
        now = answer.get("data", {}).get("status")
        order.seen_complete = was_complete or now == "complete"
        if status != 200:
            self._violation(f"read answered {status} {answer}", order)
        elif was_complete and now != "complete":
            self._violation(f"was complete and is {now}", order)
        elif was_accepted and now not in ("inProgress", "complete"):
            self._violation(f"was accepted and is {now}", order)

    def _call(self, method, path, body=None):
        return request_json(self._connected(), method, path, body, self.key)

    def _connected(self):
        if self._connection is None:
            self._opened = time.monotonic()
            self._connection = http.client.HTTPConnection(
                "127.0.0.1", self.load.port, timeout=CALL_LIMIT_S
            )
        return self._connection

    def _violation(self, message, order):
        self.load.violations.append(f"{message}: {order}")


def picture(rng):
    """Returns a PNG of noise. Each one is different."""

    def chunk(name, content):
        checksum = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)

    rows = b"".join(b"\0" + rng.randbytes(SIDE_PIXELS * 3) for _ in range(SIDE_PIXELS))
    header = struct.pack(">IIBBBBB", SIDE_PIXELS, SIDE_PIXELS, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows, 1))
        + chunk(b"IEND", b"")
    )
