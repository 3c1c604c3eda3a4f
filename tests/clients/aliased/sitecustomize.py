"""What a network alias does to a container's name resolution, done to a Python process.

With this folder on PYTHONPATH the vendors' hosts are this machine, and their port 443 is
ALIASED_PORT, which needs no rights to be listened on. The program knows nothing of it: it asks for
`https://api.bizmori.com`, and says so in SNI and `Host`.
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
