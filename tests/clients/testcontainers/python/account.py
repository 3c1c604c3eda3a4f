"""An account: a key, and calls of the control plane about it."""

import uuid

import requests

TIMEOUT_S = 30


class Account:
    def __init__(self, origin):
        self.origin, self.key = origin, str(uuid.uuid4())

    def mock(self, method, path, **fields):
        fields = {"account": self.key, **fields}
        arguments = {"params" if method == "GET" else "json": fields}
        url = f"{self.origin}/_mock/{path}"
        response = requests.request(method, url, **arguments, timeout=TIMEOUT_S)
        response.raise_for_status()
        return response

    def statuses(self, operation):
        """Returns the statuses of the operation's responses, in order."""
        journal = self.mock("GET", "requests", operation=operation).json()
        return [request["status"] for request in journal["requests"]]

    def delete(self):
        self.mock("DELETE", f"accounts/{self.key}")
