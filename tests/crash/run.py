#!/usr/bin/env python3
"""Kills the real server at random moments, again and again, and checks its guarantees.

    tests/crash/run.py target/release/stuntdouble [--rounds 20] [--seed N] [--kinds a,b,c]

The guarantees: after a SIGKILL at any moment and a restart on the data directory, every accepted order ends,
every event is sent, and nothing runs twice except a webhook whose response was lost.

Several clients, each with its own account and webhook, create, upload and confirm orders. Meanwhile the server is
killed after a random 50 to 800 ms, and sometimes once more while it starts. A client repeats a broken call with
the same idempotency key, or abandons the order. At the end the test waits until the server is idle, and reads
every order.

Prints one line a round and a summary. Exit code: 0 all guarantees held, 1 a violation, 2 usage, 3 timeout. Needs
Python's standard library only, and calls only 127.0.0.1.
"""

import sys

sys.dont_write_bytecode = True

import argparse
import os
import random
import re
import shutil
import signal
import tempfile
import threading
import time
from collections import Counter

from load import KINDS, Load
from receiver import Receiver
from server import Server
from verdict import judge

KILL_AFTER_MS = (50, 800)
KILL_STARTING_AFTER_MS = (1, 40)
KILL_STARTING_CHANCE = 0.25
CLIENTS = 6
PROCESSING_MS = 50
TIME_LIMIT_S = 170
ALIKE_MAX = 5


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("binary", help="the server, such as target/release/stuntdouble")
    parser.add_argument("--rounds", type=int, default=20, help="number of kills (20)")
    parser.add_argument("--seed", type=int, help="seed of the kills and of the load (random)")
    parser.add_argument("--kinds", default=",".join(KINDS), help="order types (%(default)s)")
    parser.add_argument("--keep", action="store_true", help="leave the data directory and log")
    options = parser.parse_args()
    options.kinds = options.kinds.split(",")
    unknown = set(options.kinds) - set(KINDS)
    if unknown or options.rounds < 1:
        parser.error(f"unknown kinds: {unknown}" if unknown else "--rounds is at least 1")
    if not os.access(options.binary, os.X_OK):
        parser.error(f"{options.binary} is not a program; build it: cargo build --release")
    return options


def play(server, load, rng, rounds):
    """Kills and restarts `rounds` times under load."""
    for number in range(1, rounds + 1):
        before = load.counts()
        delay_s = rng.randint(*KILL_AFTER_MS) / 1000
        time.sleep(delay_s)
        server.kill()
        load.hold()
        starts = 1
        server.start()
        while rng.random() < KILL_STARTING_CHANCE:
            time.sleep(rng.randint(*KILL_STARTING_AFTER_MS) / 1000)
            server.kill()
            server.start()
            starts += 1
        ready_ms = server.wait_ready()
        load.release()
        done = {name: count - before[name] for name, count in load.counts().items()}
        print(
            f"round {number:2}  killed after {delay_s * 1000:3.0f} ms  starts {starts}"
            f"  ready in {ready_ms:4.0f} ms"
            f"  created {done['created']:4}  uploaded {done['uploaded']:4}"
            f"  accepted {done['accepted']:4}  webhooks {done['webhooks']:4}"
            f"  calls broken {done['broken']:2}",
            flush=True,
        )


def quiet(server):
    """Runs everything that is due, or becomes due within two times ten minutes."""
    for _ in range(2):
        server.drain()
        server.advance("PT10M")
    server.drain()


def run(options, directory):
    seed = options.seed if options.seed is not None else random.randrange(10**6)
    rng = random.Random(seed)
    print(f"{options.rounds} rounds, {CLIENTS} clients, seed {seed}", flush=True)
    server = Server(options.binary, directory, PROCESSING_MS)

    def out_of_time():
        print(f"\nFAILED: timeout after {TIME_LIMIT_S} s", flush=True)
        server.kill()
        os._exit(3)

    watchdog = threading.Timer(TIME_LIMIT_S, out_of_time)
    watchdog.daemon = True
    watchdog.start()
    try:
        server.start()
        server.wait_ready()
        receiver = Receiver(seed)
        load = Load(server.port, receiver, CLIENTS, options.kinds, seed)
        load.start()
        play(server, load, rng, options.rounds)
        load.finish()
        quiet(server)
        return judge(server, load, receiver)
    finally:
        server.kill()
        watchdog.cancel()


def show(violations):
    """Prints the violations; of similar ones only the first few."""
    alike = Counter()
    for violation in violations:
        kind = re.sub(r"[0-9][0-9.]*", "N", violation.split(":")[0])
        alike[kind] += 1
        if alike[kind] <= ALIKE_MAX:
            print(f"VIOLATION: {violation}")
    for kind, count in alike.items():
        if count > ALIKE_MAX:
            print(f"… {count} times in total: {kind}")


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    directory = tempfile.mkdtemp(prefix="stuntdouble-crash-")
    began = time.monotonic()
    try:
        violations, summary = run(options, directory)
    finally:
        if options.keep:
            print(f"data directory and log: {directory}")
        else:
            shutil.rmtree(directory, ignore_errors=True)
    show(violations)
    word = "FAILED" if violations else "passed"
    print(f"{word}: {summary}, {len(violations)} violations, {time.monotonic() - began:.0f} s")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
