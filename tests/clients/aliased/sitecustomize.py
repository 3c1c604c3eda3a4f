"""Stands for a network alias in a Python process.

With this folder on PYTHONPATH the vendors' hosts resolve to this machine, and their port 443 is ALIASED_PORT, which
any user may listen on. The program itself calls `https://api.bizmori.com`, also in SNI and `Host`.
"""

import os
import socket

VENDORS = ("bizmori.com", "undetectable.ai", "truthscan.com", "digitaloceanspaces.com")
PORT = int(os.environ["ALIASED_PORT"])
getaddrinfo = socket.getaddrinfo


def aliased(host, port, *arguments, **named):
    if isinstance(host, str) and host.endswith(VENDORS) and int(port) == 443:
        host, port = "127.0.0.1", PORT
    return getaddrinfo(host, port, *arguments, **named)


socket.getaddrinfo = aliased
