"""The webhook receiver: stores every copy, and is sometimes slow or answers 500."""

import hashlib
import hmac
import http.server
import json
import random
import threading
import time
from dataclasses import dataclass

REFUSED_CHANCE = 0.03
# At most two refusals, so that the retries after 1, 2 and 4 s are always enough.
REFUSALS_MAX = 2
SLOW_CHANCE = 0.2
SLOW_S = 0.04


@dataclass
class Copy:
    """One received webhook."""

    key: str
    body: bytes
    event: dict
    received: float
    status: int
    signed: bool
    # The connection: the sender's port, and the time when it was accepted.
    peer: int
    connected: float
    # Time when the response had been written. `None` if the sender was gone.
    answered: float | None = None


class Receiver:
    """Webhook endpoints of all clients, `/hook/KEY`."""

    def __init__(self, seed):
        self.copies = []
        self.secrets = {}
        self.invalid = []
        self._lock = threading.Lock()
        self._refusals = {}
        self._rng = random.Random(f"{seed} receiver")
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler_for(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def url(self, key):
        """Returns the endpoint of the account `key`."""
        return f"http://127.0.0.1:{self._server.server_port}/hook/{key}"

    def take(self, path, signature, body, peer, connected):
        """Stores a webhook and decides the response. Returns the copy, and the delay of the response."""
        received = time.monotonic()
        try:
            event = json.loads(body)
            event["eventId"], event["eventType"], event["data"]["orderId"]
        except (ValueError, KeyError, TypeError):
            self.invalid.append(f"not a webhook, sent to {path}: {body[:200]!r}")
            return None, 0.0
        key = path.removeprefix("/hook/")
        secret = self.secrets.get(key, "").encode()
        expected = hmac.new(secret, body, hashlib.sha256).hexdigest()
        with self._lock:
            refusals = self._refusals.get(event["eventId"], 0)
            refused = refusals < REFUSALS_MAX and self._rng.random() < REFUSED_CHANCE
            if refused:
                self._refusals[event["eventId"]] = refusals + 1
            slow = self._rng.random() < SLOW_CHANCE
            late_s = self._rng.uniform(0, SLOW_S) if slow else 0.0
            status = 500 if refused else 200
            signed = signature == expected
            copy = Copy(key, body, event, received, status, signed, peer, connected)
            self.copies.append(copy)
        return copy, late_s


def handler_for(receiver):
    """Returns the handler class of a receiver."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self):
            self.connected = time.monotonic()
            super().setup()

        def do_POST(self):
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            if len(body) < length:
                raise ConnectionError("the sender was killed inside the body")
            signature = self.headers.get("X-MoriBiz-Signature")
            peer = self.client_address[1]
            copy, late_s = receiver.take(self.path, signature, body, peer, self.connected)
            time.sleep(late_s)
            self.send_response(copy.status if copy else 400)
            self.send_header("Content-Length", "0")
            self.end_headers()
            if copy:
                copy.answered = time.monotonic()

        def handle(self):
            # The sender may be killed at any moment.
            try:
                super().handle()
            except OSError:
                pass

        def log_message(self, *_):
            pass

    return Handler
