"""The code under test: what a service of yours asks of the two vendors.

Nothing here knows of a mock. Where the vendors are is told from outside, as in production.
"""

import time
import uuid

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

TRIES = 3
PATIENCE_S = 30


class Pictures:
    def __init__(self, bizmori, undetectable, key):
        self.orders = f"{bizmori}/api/v2/orders"
        self.undetectable = undetectable
        self.key = key
        self.http = requests.Session()
        # A vendor that is busy is asked again.
        busy = Retry(TRIES - 1, status_forcelist=[503], allowed_methods=None, backoff_factor=0.05)
        for scheme in ("http://", "https://"):
            self.http.mount(scheme, HTTPAdapter(max_retries=busy))

    def protect(self, name, picture):
        """The picture as BIZ MORI protects it."""
        order = self.order(name)
        self.upload(order, picture)
        return self.protected(order)

    def order(self, name):
        wanted = {"idempotencyKey": str(uuid.uuid4()), "files": [{"fileName": name}]}
        return self._bizmori("POST", "anti-ai", wanted)

    def upload(self, order, picture):
        """A URL that expired while the order waited is asked for anew."""
        answer = self.http.put(order["files"][0]["uploadUrl"], data=picture, timeout=PATIENCE_S)
        if answer.status_code == 403:
            fresh = self._bizmori("POST", f"{order['orderId']}/refresh-urls")
            answer = self.http.put(fresh["files"][0]["uploadUrl"], data=picture, timeout=PATIENCE_S)
        answer.raise_for_status()

    def protected(self, order):
        confirmed = {"idempotencyKey": str(uuid.uuid4()), "orderId": order["orderId"]}
        self._bizmori("POST", "anti-ai/confirm", confirmed)
        until(lambda: self._bizmori("GET", order["orderId"]), "complete")
        url = self._bizmori("GET", f"{order['orderId']}/download")["downloadUrl"]
        answer = self.http.get(url, timeout=PATIENCE_S)
        answer.raise_for_status()
        return answer.content

    def judge(self, name, picture):
        """Undetectable's verdict, and the chance in percent that a machine made the picture."""
        slot = self._undetectable("GET", f"get-presigned-url?file_name={name}")
        headers = {"Content-Type": "image/jpeg", "x-amz-acl": "private"}
        answer = self.http.put(slot["presigned_url"], picture, headers=headers, timeout=PATIENCE_S)
        answer.raise_for_status()
        asked = {"key": self.key, "url": f"{self.undetectable}/{slot['file_path']}"}
        document = self._undetectable("POST", "detect", asked)
        query = {"id": document["id"]}
        document = until(lambda: self._undetectable("POST", "query", query), "done")
        return document["result_details"]["final_result"], document["result"]

    def _bizmori(self, method, path, body=None):
        headers = {"Authorization": f"Bearer {self.key}"}
        return self._call(method, f"{self.orders}/{path}", headers, body)["data"]

    def _undetectable(self, method, path, body=None):
        return self._call(method, f"{self.undetectable}/{path}", {"apikey": self.key}, body)

    def _call(self, method, url, headers, body):
        answer = self.http.request(method, url, headers=headers, json=body, timeout=PATIENCE_S)
        answer.raise_for_status()
        return answer.json()


def until(read, wanted):
    """What is read once its status is as wanted."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        found = read()
        if found["status"] == wanted:
            return found
        if found["status"] == "failed" or time.monotonic() > deadline:
            raise RuntimeError(f"not {wanted}: {found}")
        time.sleep(0.05)
