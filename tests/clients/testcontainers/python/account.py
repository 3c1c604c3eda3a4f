"""A key, which is a world of its own, and what the control plane does with it."""

import uuid

import requests

PATIENCE_S = 30


class Account:
    def __init__(self, origin):
        self.origin, self.key = origin, str(uuid.uuid4())

    def mock(self, method, path, **asked):
        asked = {"account": self.key, **asked}
        where = {"params" if method == "GET" else "json": asked}
        url = f"{self.origin}/_mock/{path}"
        answer = requests.request(method, url, **where, timeout=PATIENCE_S)
        answer.raise_for_status()
        return answer

    def statuses(self, operation):
        """What the calls of that operation were answered, in order."""
        journal = self.mock("GET", "requests", operation=operation).json()
        return [request["status"] for request in journal["requests"]]

    def end(self):
        self.mock("DELETE", f"accounts/{self.key}")
