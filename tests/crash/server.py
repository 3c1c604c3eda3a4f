"""The server's process: start, kill, wait, and calls of the control plane."""

import http.client
import json
import os
import random
import re
import socket
import subprocess
import time
from collections import namedtuple

START_LIMIT_S = 15
DRAIN_LIMIT_MS = 30_000
# Below the system's range for outgoing connections. While the server is down, no other process must get its port,
# and a connect must not be answered by its own socket.
PORTS = range(20_000, 30_000)
BAD_LOG_LINE = re.compile(r"panicked at|\bERROR\b")

# Time when the signal was sent, and time when the process was gone.
Kill = namedtuple("Kill", "sent gone")


class Server:
    """A data directory, a port, and the current process."""

    def __init__(self, binary, directory, processing_ms):
        self.port = free_port()
        self.kills = []
        self.starts_ms = []
        self.log_path = os.path.join(directory, "log")
        self._process = None
        self._started = 0.0
        self._command = [os.path.abspath(binary)]
        self._command += ["--port", str(self.port)]
        self._command += ["--data-dir", os.path.join(directory, "data")]
        self._command += ["--processing-ms", str(processing_ms)]

    def start(self):
        """Starts the process, without waiting until it serves."""
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("STUNTDOUBLE_")
        }
        with open(self.log_path, "ab") as log:
            self._started = time.monotonic()
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
            )

    def wait_ready(self):
        """Waits for 200 of the health route. Returns the milliseconds since the start."""
        while time.monotonic() - self._started < START_LIMIT_S:
            if self._process.poll() is not None:
                code = self._process.returncode
                raise SystemExit(f"FAILED: the server ended with exit code {code}:\n{self._tail()}")
            try:
                status, _ = self.call("GET", "/_mock/health", limit_s=2)
            except (OSError, http.client.HTTPException):
                status = None
            if status == 200:
                ready_ms = (time.monotonic() - self._started) * 1000
                self.starts_ms.append(ready_ms)
                return ready_ms
            time.sleep(0.002)
        raise SystemExit(f"FAILED: not ready after {START_LIMIT_S} s:\n{self._tail()}")

    def kill(self):
        """Sends SIGKILL, and waits until the process is gone."""
        if self._process is None or self._process.poll() is not None:
            return
        sent = time.monotonic()
        self._process.kill()
        self._process.wait()
        self.kills.append(Kill(sent, time.monotonic()))

    def drain(self):
        """Waits until no job is due or running."""
        body = {"timeoutMs": DRAIN_LIMIT_MS}
        status, answer = self.call("POST", "/_mock/drain", body, DRAIN_LIMIT_MS / 1000 + 10)
        if status != 200 or answer.get("idle") is not True:
            raise SystemExit(f"FAILED: the server is not idle: drain answered {status} {answer}")

    def advance(self, by):
        """Advances the default clock, which all accounts follow, and runs what becomes due."""
        status, answer = self.call("POST", "/_mock/clock/advance", {"by": by}, 60)
        if status != 200:
            raise SystemExit(f"FAILED: advance answered {status} {answer}")

    def call(self, method, path, body=None, limit_s=10.0, key=None):
        """Makes a call on a new connection. Returns status and JSON body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=limit_s)
        try:
            return request_json(connection, method, path, body, key)
        finally:
            connection.close()

    def bad_log_lines(self):
        """Returns the lines of the log that must never appear."""
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return [line.strip() for line in log if BAD_LOG_LINE.search(line)]

    def _tail(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-10:])


def request_json(connection, method, path, body=None, key=None):
    """Sends a request with an optional JSON body. Returns status and JSON body of the response."""
    headers = {}
    if body is not None:
        headers["Content-Type"] = "application/json"
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    text = None if body is None else json.dumps(body)
    connection.request(method, path, text, headers)
    response = connection.getresponse()
    content = response.read()
    try:
        return response.status, json.loads(content)
    except ValueError:
        return response.status, {"text": content[:500].decode(errors="replace")}


def free_port():
    """Returns a port that is free now."""
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
