#!/usr/bin/env python3
"""Reads the metrics of a running server with Prometheus' own client for Python.

    tests/clients/metrics.py http://127.0.0.1:8080

Exit code 0 if all metrics are readable, and count the calls made meanwhile.
"""

import sys
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
HEALTH = {"operation": "control.health", "status": "200"}
# Name and type, as the parser has them.
EXPECTED = {
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
    with urlopen(f"{origin}/_mock/metrics") as response:
        media_type = response.headers["Content-Type"]
        assert media_type == MEDIA_TYPE, media_type
        text = response.read().decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    read = sum(len(family.samples) for family in families.values())
    assert read == len(lines), f"expected {len(lines)} samples, got {read}"
    for family in families.values():
        assert family.documentation, f"{family.name} has no help text"
    return families


def health(families):
    samples = families["stuntdouble_http_requests"].samples
    return sum(sample.value for sample in samples if sample.labels == HEALTH)


def main(origin):
    before = scrape(origin)
    for name, kind in EXPECTED.items():
        assert before[name].type == kind, f"{name}: expected {kind}, got {before[name].type}"
    for _ in range(3):
        urlopen(f"{origin}/_mock/health").close()
    after = scrape(origin)
    assert health(after) == health(before) + 3, (before, after)
    print(f"{len(after)} families of metrics, read by prometheus_client")


if __name__ == "__main__":
    main(sys.argv[1])
