#!/usr/bin/env python3
"""Processes the most demanding pictures of each format, as orders of each type, in little memory.

    tests/limits/run.py target/release/stuntdouble [--memory 512,256,128,64] [--method cgroup|ulimit|none]
    tests/limits/run.py --url http://127.0.0.1:8080

Starts the server with each limit, in MiB. Creates an order of each type for each file, first one by one, then four
at a time. Each order must end, done or failed, and the server must survive. With `--url` it tests a running server,
wherever it runs; its metrics show whether it was restarted.

The limit is that of a memory cgroup (as root, version 1 or 2), else that of the address space. The program, its
threads' stacks and the allocator's arenas take a part of the address space without using it. A limit below 384 MiB
makes no sense there, and the arenas are limited to two (MALLOC_ARENA_MAX=2).

Prints a line for each order, with the peak of the server's memory (VmHWM). Exit code: 0 all orders ended and the
server survived, 1 otherwise, 2 usage. Needs Python's standard library only.
"""

import argparse
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import files
from client import KINDS, Broken, Client
from server import NoCgroup, Server

MIB = 1024 * 1024
AT_ONCE = 4
# Orders of each kind when several run at once.
OF_EACH_KIND = 2
# Smallest limit of the address space that makes sense.
ADDRESS_SPACE_MIN_MIB = 384
# Kinds of orders for ZIP files; the other kinds do not accept them.
ZIP_KINDS = ("bulk-upload",)


def main():
    # Ends through `finally`, so that the server is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    arguments = parse()
    start = time.monotonic()
    worst = files.worst()
    print(f"made {len(worst)} files in {time.monotonic() - start:.1f} s:")
    for name, content in worst.items():
        print(f"  {name:22} {len(content):>10} bytes")
    steps = [
        (kind, name)
        for name in worst
        for kind in KINDS
        if (kind in ZIP_KINDS) == name.endswith(".zip")
    ]
    try:
        if arguments.url:
            against(Client(arguments.url, "limits"), None, steps, worst)
        else:
            within_limits(arguments, steps, worst)
    except (Broken, RuntimeError, OSError) as error:
        print(f"FAILED: {error}", file=sys.stderr)
        return 1
    print("all orders ended, and the server survived")
    return 0


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("binary", nargs="?")
    parser.add_argument("--url")
    parser.add_argument("--memory", default="512,256,128,64")
    parser.add_argument("--method", choices=("cgroup", "ulimit", "none"), default="cgroup")
    arguments = parser.parse_args()
    if bool(arguments.binary) == bool(arguments.url):
        parser.error("expected the program, or --url")
    return arguments


def within_limits(arguments, steps, worst):
    for mebibytes in map(int, arguments.memory.split(",")):
        server = started(arguments, mebibytes)
        if server is None:
            continue
        try:
            against(Client(server.origin, "limits"), server, steps, worst)
        finally:
            server.stop()


def started(arguments, mebibytes):
    """Starts a server with that limit. Returns `None` if the limit makes no sense here."""
    if arguments.method == "cgroup":
        try:
            server = Server(arguments.binary, mebibytes * MIB, "cgroup")
            print(f"=== {mebibytes} MiB, limit of a memory cgroup")
            return server
        except NoCgroup as error:
            print(f"no memory cgroup ({error}): the limit is that of the address space")
    if arguments.method != "none" and mebibytes < ADDRESS_SPACE_MIN_MIB:
        print(f"=== {mebibytes} MiB of address space: skipped, less than the program needs")
        return None
    method = "none" if arguments.method == "none" else "ulimit"
    server = Server(arguments.binary, mebibytes * MIB, method)
    print(f"=== {mebibytes} MiB of address space" if method == "ulimit" else "=== no limit")
    return server


def against(client, server, steps, worst):
    """Runs every step, one by one and then several at once."""
    began_at = client.metric("process_start_time_seconds")
    budget = client.metric("stuntdouble_engine_memory_budget_bytes")
    if server:
        print(f"{server.resident_bytes() / MIB:.0f} MiB resident at the start, ", end="")
    print(f"{budget / MIB:.0f} MiB for work on pictures")
    ends = {}

    def step(kind, name):
        end = client.run(kind, name, worst[name])
        ends[end.status] = ends.get(end.status, 0) + 1
        return end

    def check(name):
        if server and server.end() is not None:
            raise Broken(f"{name}: the server ended, {server.end()}")
        client.assert_healthy()
        if client.metric("process_start_time_seconds") != began_at:
            raise Broken(f"{name}: the server was restarted")

    def peak(of):
        return f"{of.peak_bytes() / MIB:.0f}" if of else resident(client)

    print("--- one by one: order, end, peak in MiB")
    for kind, name in steps:
        if server:
            server.forget_peak()
        end = guarded(step, server, kind, name)
        check(f"{kind} of {name}")
        print(f"{kind:12} {name:22} {end.status:9} {peak(server):>6}  {end.reason[:150]}", flush=True)
    print(f"--- {AT_ONCE} at a time")
    for name in worst:
        kinds = [kind for kind, of in steps if of == name]
        if server:
            server.forget_peak()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            same = [pool.submit(guarded, step, server, kind, name) for kind in kinds for _ in range(OF_EACH_KIND)]
            statuses = sorted({end.result().status for end in same})
        check(f"{AT_ONCE} of {name}")
        print(f"{len(same):>2} orders of {name:22} {'/'.join(statuses):18} {peak(server):>6}", flush=True)
    leased = client.metric("stuntdouble_engine_memory_leased_bytes")
    most = client.metric("stuntdouble_engine_memory_leased_bytes_max")
    if leased != 0 or most > budget:
        raise Broken(f"{leased} bytes still reserved, {most} at most, of a budget of {budget}")
    print(f"ends: {ends}; {most / MIB:.0f} MiB reserved at most; resident now: {now(client, server)} MiB")


def guarded(step, server, kind, name):
    """Runs a step. If it fails, the error has the end of the server."""
    try:
        return step(kind, name)
    except (OSError, ValueError) as error:
        time.sleep(0.5)
        end = server.end() if server else "unknown"
        raise Broken(f"{kind} of {name}: {error!r}; the server: {end}") from error


def resident(client):
    return f"{client.metric('process_resident_memory_bytes') / MIB:.0f}"


def now(client, server):
    return f"{server.resident_bytes() / MIB:.0f}" if server else resident(client)


if __name__ == "__main__":
    sys.exit(main())
