"""The code under test: a client of the two vendors.

It does not know of a mock. The caller sets the vendors' addresses, as in production.
"""

import time
import uuid

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

TRIES = 3
TIMEOUT_S = 30


class Pictures:
    def __init__(self, bizmori, undetectable, key):
        self.orders = f"{bizmori}/api/v2/orders"
        self.undetectable = undetectable
        self.key = key
        self.http = requests.Session()
        # Retries if the vendor is busy.
        busy = Retry(TRIES - 1, status_forcelist=[503], allowed_methods=None, backoff_factor=0.05)
        for scheme in ("http://", "https://"):
            self.http.mount(scheme, HTTPAdapter(max_retries=busy))

    def protect(self, name, picture):
        """Returns the picture as BIZ MORI protects it."""
        order = self.order(name)
        self.upload(order, picture)
        return self.protected(order)

    def order(self, name):
        body = {"idempotencyKey": str(uuid.uuid4()), "files": [{"fileName": name}]}
        return self._bizmori("POST", "anti-ai", body)

    def upload(self, order, picture):
        """Uploads the picture. Gets a new URL if the first has expired."""
        response = self.http.put(order["files"][0]["uploadUrl"], data=picture, timeout=TIMEOUT_S)
        if response.status_code == 403:
            refreshed = self._bizmori("POST", f"{order['orderId']}/refresh-urls")
            response = self.http.put(refreshed["files"][0]["uploadUrl"], data=picture, timeout=TIMEOUT_S)
        response.raise_for_status()

    def protected(self, order):
        body = {"idempotencyKey": str(uuid.uuid4()), "orderId": order["orderId"]}
        self._bizmori("POST", "anti-ai/confirm", body)
        until(lambda: self._bizmori("GET", order["orderId"]), "complete")
        url = self._bizmori("GET", f"{order['orderId']}/download")["downloadUrl"]
        response = self.http.get(url, timeout=TIMEOUT_S)
        response.raise_for_status()
        return response.content

    def judge(self, name, picture):
        """Returns Undetectable's verdict, and the probability in percent that the picture is AI."""
        slot = self._undetectable("GET", f"get-presigned-url?file_name={name}")
        headers = {"Content-Type": "image/jpeg", "x-amz-acl": "private"}
        response = self.http.put(slot["presigned_url"], picture, headers=headers, timeout=TIMEOUT_S)
        response.raise_for_status()
        body = {"key": self.key, "url": f"{self.undetectable}/{slot['file_path']}"}
        document = self._undetectable("POST", "detect", body)
        query = {"id": document["id"]}
        document = until(lambda: self._undetectable("POST", "query", query), "done")
        return document["result_details"]["final_result"], document["result"]

    def _bizmori(self, method, path, body=None):
        headers = {"Authorization": f"Bearer {self.key}"}
        return self._call(method, f"{self.orders}/{path}", headers, body)["data"]

    def _undetectable(self, method, path, body=None):
        return self._call(method, f"{self.undetectable}/{path}", {"apikey": self.key}, body)

    def _call(self, method, url, headers, body):
        response = self.http.request(method, url, headers=headers, json=body, timeout=TIMEOUT_S)
        response.raise_for_status()
        return response.json()


def until(read, expected):
    """Calls `read` until the status is `expected`. Returns the last result."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        result = read()
        if result["status"] == expected:
            return result
        if result["status"] == "failed" or time.monotonic() > deadline:
            raise RuntimeError(f"expected {expected}, got {result}")
        time.sleep(0.05)
