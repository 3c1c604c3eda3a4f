"""Creates orders of both vendors, and waits for their end."""

import http.client
import itertools
import json
import re
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

# Time in which an order must end.
END_LIMIT_S = 180
CALL_LIMIT_S = 60
KINDS = ("ai-detection", "anti-ai", "wtr-embed", "wtr-extract", "detect", "bulk-upload")
_numbers = itertools.count()


@dataclass(frozen=True)
class End:
    """End of an order: its status, and the reason of a failure."""

    status: str
    reason: str


class Broken(Exception):
    """A violation of what the test expects."""


class Client:
    """A client of a running server."""

    def __init__(self, origin, key):
        parts = urlsplit(origin)
        self._host, self._port = parts.hostname, parts.port or 80
        self._key = key

    def call(self, method, path, body=None, headers=None):
        """Makes a call with the key, on a new connection. Returns status and body."""
        headers = {"Authorization": f"Bearer {self._key}", "apikey": self._key, **(headers or {})}
        if isinstance(body, dict):
            body = json.dumps(body)
            headers["Content-Type"] = "application/json"
        return self._send(method, path, body, headers)

    def _send(self, method, path, body, headers):
        connection = http.client.HTTPConnection(self._host, self._port, timeout=CALL_LIMIT_S)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def call_json(self, method, path, body=None):
        """Makes a call that must answer 200 and JSON. Returns the JSON."""
        status, content = self.call(method, path, body)
        if status != 200:
            raise Broken(f"{method} {path}: {status} {content[:300].decode(errors='replace')}")
        return json.loads(content)

    def metric(self, name):
        """Returns a metric without labels, 0 if it is missing."""
        status, content = self.call("GET", "/_mock/metrics")
        found = re.search(rf"^{name} ([0-9.e+]+)$", content.decode(), re.MULTILINE)
        return float(found.group(1)) if status == 200 and found else 0.0

    def assert_healthy(self):
        status, content = self.call("GET", "/_mock/health")
        if status != 200:
            raise Broken(f"health: {status} {content[:300]!r}")

    def run(self, kind, name, content):
        """Creates an order of one file and waits for its end."""
        if kind == "detect":
            return self._document(name, content, "/detect", "/query")
        if kind == "bulk-upload":
            return self._document(name, content, "/bulk-upload", "/bulk-upload/query")
        return self._order(kind, name, content)

    def _order(self, kind, name, content):
        key = f"limits {time.time()} {next(_numbers)}"
        body = {"idempotencyKey": key, **order_body(kind, name)}
        status, made = self.call("POST", f"/api/v2/orders/{kind}", body)
        if status == 400:
            return End("refused", made.decode())
        data = json.loads(made)["data"]
        file = data.get("file") or data["files"][0]
        self._put(file["uploadUrl"], content)
        if kind in ("ai-detection", "anti-ai"):
            confirm = {"idempotencyKey": f"{key} c", "orderId": data["orderId"]}
            self.call_json("POST", f"/api/v2/orders/{kind}/confirm", confirm)

        def end_if_reached():
            order = self.call_json("GET", f"/api/v2/orders/{data['orderId']}")["data"]
            if order["status"] in ("complete", "failed"):
                return End(order["status"], str(order.get("errors") or ""))
            return None

        return self._wait_for_end(end_if_reached, f"{kind} of {name}")

    def _document(self, name, content, path, query):
        slot = self.call_json("GET", f"/get-presigned-url?file_name={name}")
        self._put(slot["presigned_url"], content)
        url = f"http://{self._host}:{self._port}/{slot['file_path']}"
        body = {"key": self._key, "url": url}
        if path == "/detect":
            body |= {"generate_preview": True, "generate_heatmap_overlayed": True}
        status, made = self.call("POST", path, body)
        if status in (400, 422):
            return End("refused", made.decode())
        if status != 200:
            raise Broken(f"POST {path}: {status} {made[:300]!r}")
        document = json.loads(made)["id"]

        def end_if_reached():
            state = self.call_json("POST", query, {"id": document})
            if state["status"] not in ("done", "failed"):
                return None
            items = state.get("items") or []
            return End(state["status"], ", ".join(str(item.get("status")) for item in items))

        return self._wait_for_end(end_if_reached, f"{path} of {name}")

    def _put(self, url, content):
        parts = urlsplit(url)
        # The URL may have another host that leads to the same server. S3 refuses a presigned URL with an
        # Authorization header.
        status, answer = self._send("PUT", f"{parts.path}?{parts.query}", content, {})
        if status != 200:
            raise Broken(f"PUT {parts.path}: {status} {answer[:300]!r}")

    @staticmethod
    def _wait_for_end(end_if_reached, name):
        limit = time.monotonic() + END_LIMIT_S
        while time.monotonic() < limit:
            end = end_if_reached()
            if end is not None:
                return end
            time.sleep(0.02)
        raise Broken(f"{name}: not ended after {END_LIMIT_S} s")


def order_body(kind, name):
    """Returns the body of an order of one file, with every option that draws a picture."""
    if kind == "ai-detection":
        drawn = ("generateHeatmap", "generateOverlay", "generateThumbnail")
        return {"fileName": name, "options": dict.fromkeys(drawn, True)}
    if kind == "wtr-embed":
        return {"files": [{"fileName": name, "watermarks": [{"text": "limits"}]}]}
    if kind == "wtr-extract":
        return {"file": {"fileName": name}}
    return {"files": [{"fileName": name}]}
