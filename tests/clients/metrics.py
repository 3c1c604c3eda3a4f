#!/usr/bin/env python3
"""The metrics of a running server, read by Prometheus' own client for Python.

    tests/clients/metrics.py http://127.0.0.1:8080

Ends with exit code 0 if all of them are read, and tell what was asked meanwhile.
"""

import sys
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
HEALTH = {"operation": "control.health", "status": "200"}
# Each with its type, as the parser names it.
WANTED = {
    "stuntdouble_build_info": "gauge",
    "stuntdouble_http_requests": "counter",
    "stuntdouble_http_request_duration_seconds": "histogram",
    "stuntdouble_jobs_run": "counter",
    "stuntdouble_jobs_queued": "gauge",
    "stuntdouble_webhook_attempts": "counter",
    "stuntdouble_database_bytes": "gauge",
    "stuntdouble_journal_bytes": "gauge",
    "stuntdouble_connections": "gauge",
    "process_resident_memory_bytes": "gauge",
}


def scrape(origin):
    with urlopen(f"{origin}/_mock/metrics") as answer:
        assert answer.headers["Content-Type"] == MEDIA_TYPE, answer.headers["Content-Type"]
        text = answer.read().decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    read = sum(len(family.samples) for family in families.values())
    assert read == len(lines), f"{read} samples read, of {len(lines)}"
    for family in families.values():
        assert family.documentation, f"{family.name} says nothing of itself"
    return families


def health(families):
    samples = families["stuntdouble_http_requests"].samples
    return sum(sample.value for sample in samples if sample.labels == HEALTH)


def main(origin):
    before = scrape(origin)
    for name, kind in WANTED.items():
        assert before[name].type == kind, f"{name} is a {before[name].type}"
    for _ in range(3):
        urlopen(f"{origin}/_mock/health").close()
    after = scrape(origin)
    assert health(after) == health(before) + 3, (before, after)
    print(f"{len(after)} families of metrics, read by prometheus_client")


if __name__ == "__main__":
    main(sys.argv[1])
