"""Checks of orders and webhooks after the server is idle again."""

import http.client
from collections import defaultdict
from urllib.parse import urlsplit

from server import request_json

# Time after a webhook's response in which a kill may lose its record.
LOST_WITHIN_S = 0.3
# Time after a kill in which a webhook sent before the kill may be received.
READ_LATE_S = 0.2
# Time before a kill in which a connection may already break, because the signal takes time.
BROKE_EARLY_S = 0.5
DOWNLOADS_MAX = 300


def judge(server, load, receiver):
    """Returns the violations, and the summary line."""
    violations = load.violations + receiver.invalid
    violations += [f"the server printed: {line}" for line in server.bad_log_lines()]
    violations += broken_without_kill(server.kills, load.breaks)
    finals, complaints = read_all(server, load.orders)
    violations += complaints
    duplicates, complaints = judge_events(server.kills, receiver.copies, finals)
    violations += complaints
    accepted = sum(order.accepted for order in load.orders)
    starts_ms = sorted(server.starts_ms)
    summary = (
        f"{len(server.kills)} kills, {len(finals)} orders, {accepted} accepted,"
        f" {len(receiver.copies)} webhooks,"
        f" {sum(copy.status != 200 for copy in receiver.copies)} refused by the receiver,"
        f" {duplicates} sent again after a lost response,"
        f" ready in {starts_ms[len(starts_ms) // 2]:.0f} ms median"
        f" and {starts_ms[-1]:.0f} ms at most"
    )
    return violations, summary


def broken_without_kill(kills, breaks):
    """Returns violations for calls that broke without a kill of the server."""
    return [
        f"a connection broke {broke - opened:.3f} s after it was opened, without a kill"
        for opened, broke in breaks
        if not any(kill.gone >= opened and kill.sent <= broke + BROKE_EARLY_S for kill in kills)
    ]


def read_all(server, orders):
    """Reads every created order. Returns the orders by id, and the violations."""
    finals, violations, downloads = {}, [], 0
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    for order in orders:
        if order.order_id is None:
            continue
        if order.order_id in finals:
            violations.append(f"two orders with one id: {order}")
        path = f"/api/v2/orders/{order.order_id}"
        status, answer = request_json(connection, "GET", path, key=order.key)
        data = answer.get("data", {})
        finals[order.order_id] = (order, data)
        now = data.get("status")
        if status != 200:
            violations.append(f"created, but reading it answers {status} {answer}: {order}")
        elif order.accepted and now != "complete":
            violations.append(f"accepted, but still {now}: {order}")
        elif not order.may_run and now != "pending":
            violations.append(f"never started, but {now}: {order}")
        elif now not in ("pending", "complete"):
            violations.append(f"expected pending or complete, got {now}: {order}")
        elif now == "complete" and order.kind != "aiDetection" and downloads < DOWNLOADS_MAX:
            downloads += 1
            violations += judge_download(connection, order)
    connection.close()
    return finals, violations


def judge_download(connection, order):
    """Checks that a complete order's file exists."""
    path = f"/api/v2/orders/{order.order_id}/download"
    status, answer = request_json(connection, "GET", path, key=order.key)
    if status != 200:
        return [f"complete, but its download answers {status} {answer}: {order}"]
    url = urlsplit(answer["data"]["url"])
    connection.request("GET", f"{url.path}?{url.query}")
    file = connection.getresponse()
    content = file.read()
    if file.status != 200 or not content:
        return [f"complete, but its file answers {file.status} {content[:200]!r}: {order}"]
    return []


def judge_events(kills, copies, finals):
    """Returns the number of webhooks that were sent again with reason, and the violations."""
    violations, duplicates = [], 0
    by_order = defaultdict(lambda: defaultdict(list))
    for copy in copies:
        by_order[copy.event["data"]["orderId"]][copy.event["eventId"]].append(copy)
        if not copy.signed:
            violations.append(f"wrong signature: {copy.body[:300]!r}")
    for order_id, (order, data) in finals.items():
        events = by_order.pop(order_id, {})
        if data.get("status") == "complete" and len(events) != 1:
            violations.append(f"complete, but with {len(events)} events: {order}")
        elif data.get("status") != "complete" and events:
            violations.append(f"{data.get('status')}, but with an event: {order}")
        for event_copies in events.values():
            again, complaints = judge_copies(kills, event_copies, order, data)
            duplicates += again
            violations += complaints
    violations += [f"an event of order {order_id}, which no client created" for order_id in by_order]
    return duplicates, violations


def judge_copies(kills, copies, order, data):
    """Checks the copies of one event: the same bytes, the right account, no copy without a reason."""
    violations, duplicates = [], 0
    first = copies[0]
    if first.event["eventType"] != f"order.{order.kind}.completed" or first.key != order.key:
        violations.append(f"{first.event['eventType']} to {first.key}: {order}")
    if order.kind == "aiDetection":
        probability = first.event["data"].get("probability")
        if probability != data.get("probability"):
            violations.append(
                f"{probability} in the webhook, {data.get('probability')} in the order: {order}"
            )
    if not any(copy.status == 200 for copy in copies):
        violations.append(f"refused {len(copies)} times, but not sent again: {order}")
    for earlier, later in zip(copies, copies[1:]):
        if later.body != first.body:
            violations.append(f"different body in a later attempt: {later.body[:300]!r}")
        if earlier.status != 200:
            continue
        duplicates += 1
        if not any(may_have_lost(kill, earlier, later) for kill in kills):
            gap_s = later.received - earlier.received
            violations.append(f"sent again after {gap_s:.3f} s without a lost response: {order}")
    return duplicates, violations


def may_have_lost(kill, earlier, later):
    """`True` if a kill may have lost the response to `earlier`, so that `later` is correct."""
    came_before = earlier.received - READ_LATE_S <= kill.gone
    came_after = kill.sent <= later.connected and later.peer != earlier.peer
    lost = earlier.answered is None or kill.sent - earlier.answered <= LOST_WITHIN_S
    return came_before and came_after and lost
