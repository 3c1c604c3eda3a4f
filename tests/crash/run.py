#!/usr/bin/env python3
"""Kills the real server at any moment, again and again, and looks whether it kept its word.

    tests/crash/run.py target/release/stuntdouble [--rounds 20] [--seed N] [--kinds a,b,c]

The word: killed with SIGKILL at any moment and started again on its data directory, every
accepted order still reaches its end, every event still goes out, and nothing runs twice but a
webhook whose answer was lost.

Several clients, each with an account and a webhook of its own, take orders through create,
upload and confirm while the server is killed after a random 50 to 800 ms, and at times once
more while it starts. A call that broke is made again with the same idempotency key, or given up
on. In the end the server is left in peace until it is idle, and then asked about every order.

Prints one line a round and a summary. Exit code: 0 all held, 1 something did not, 2 usage,
3 out of time. Needs Python's standard library only; calls nothing but 127.0.0.1.
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
    parser.add_argument("--rounds", type=int, default=20, help="how many kills (20)")
    parser.add_argument("--seed", type=int, help="of the kills' moments and the load (random)")
    parser.add_argument("--kinds", default=",".join(KINDS), help="order types (%(default)s)")
    parser.add_argument("--keep", action="store_true", help="leave the data directory and log")
    given = parser.parse_args()
    given.kinds = given.kinds.split(",")
    unknown = set(given.kinds) - set(KINDS)
    if unknown or given.rounds < 1:
        parser.error(f"unknown kinds: {unknown}" if unknown else "--rounds is at least 1")
    if not os.access(given.binary, os.X_OK):
        parser.error(f"{given.binary} is not a program; build it: cargo build --release")
    return given


def play(server, load, chance, rounds):
    """Kills and restarts `rounds` times under load."""
    for number in range(1, rounds + 1):
        before = load.counts()
        delay_s = chance.randint(*KILL_AFTER_MS) / 1000
        time.sleep(delay_s)
        server.kill()
        load.hold()
        starts = 1
        server.start()
        while chance.random() < KILL_STARTING_CHANCE:
            time.sleep(chance.randint(*KILL_STARTING_AFTER_MS) / 1000)
            server.kill()
            server.start()
            starts += 1
        ready_ms = server.wait_ready()
        load.release()
        made = {what: count - before[what] for what, count in load.counts().items()}
        print(
            f"round {number:2}  killed after {delay_s * 1000:3.0f} ms  starts {starts}"
            f"  ready in {ready_ms:4.0f} ms"
            f"  created {made['created']:4}  uploaded {made['uploaded']:4}"
            f"  accepted {made['accepted']:4}  webhooks {made['webhooks']:4}"
            f"  calls broken {made['broken']:2}",
            flush=True,
        )


def quiet(server):
    """Lets everything that is due, or becomes due within two times ten minutes, happen."""
    for _ in range(2):
        server.drain()
        server.advance("PT10M")
    server.drain()


def run(given, directory):
    seed = given.seed if given.seed is not None else random.randrange(10**6)
    chance = random.Random(seed)
    print(f"{given.rounds} rounds, {CLIENTS} clients, seed {seed}", flush=True)
    server = Server(given.binary, directory, PROCESSING_MS)

    def out_of_time():
        print(f"\nFAILED: not done after {TIME_LIMIT_S} s", flush=True)
        server.kill()
        os._exit(3)

    watchdog = threading.Timer(TIME_LIMIT_S, out_of_time)
    watchdog.daemon = True
    watchdog.start()
    try:
        server.start()
        server.wait_ready()
        receiver = Receiver(seed)
        load = Load(server.port, receiver, CLIENTS, given.kinds, seed)
        load.start()
        play(server, load, chance, given.rounds)
        load.finish()
        quiet(server)
        return judge(server, load, receiver)
    finally:
        server.kill()
        watchdog.cancel()


def show(violations):
    """Prints the violations, of those that are alike only the first few."""
    alike = Counter()
    for violation in violations:
        kind = re.sub(r"[0-9][0-9.]*", "N", violation.split(":")[0])
        alike[kind] += 1
        if alike[kind] <= ALIKE_MAX:
            print(f"VIOLATION: {violation}")
    for kind, count in alike.items():
        if count > ALIKE_MAX:
            print(f"… {count} times in all: {kind}")


def main():
    given = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    directory = tempfile.mkdtemp(prefix="stuntdouble-crash-")
    began = time.monotonic()
    try:
        violations, summary = run(given, directory)
    finally:
        if given.keep:
            print(f"kept: {directory}")
        else:
            shutil.rmtree(directory, ignore_errors=True)
    show(violations)
    word = "FAILED" if violations else "held"
    print(f"{word}: {summary}, {len(violations)} violations, {time.monotonic() - began:.0f} s")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
