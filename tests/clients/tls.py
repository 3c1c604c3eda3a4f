#!/usr/bin/env python3
"""A client whose hosts are fixed, by requests: both vendors' flows at the vendors' own URLs.

    PYTHONPATH=tests/clients/aliased ALIASED_PORT=8443 REQUESTS_CA_BUNDLE=ca.pem tests/clients/tls.py

Nothing here knows of a mock, but for the line that says so and the clock that is moved on. Ends with
exit code 0 if all is as it should be.
"""

import uuid
from pathlib import Path

import requests

PHOTO = Path(__file__).resolve().parent.parent.parent / "fixtures" / "photo.jpg"
BIZMORI = "https://api.bizmori.com"
HOSTS = ["https://ai-image-detect.undetectable.ai", "https://detect-image.truthscan.com"]
KEY = f"fixed-{uuid.uuid4().hex}"


def good(answer):
    assert answer.ok, f"{answer.url}: {answer.status_code} {answer.text} {answer.headers}"
    return answer


def pass_a_second():
    """The one thing that a mock alone can do."""
    good(requests.post(f"{BIZMORI}/_mock/clock/advance", json={"account": KEY, "by": "PT1S"}))


def bizmori():
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {KEY}"
    orders = f"{BIZMORI}/api/v2/orders"
    order = good(session.post(f"{orders}/ai-detection", json={
        "idempotencyKey": "create", "fileName": "photo_ai.jpg",
        "options": {"generateHeatmap": True}})).json()["data"]
    upload = order["file"]["uploadUrl"]
    assert upload.startswith(f"{BIZMORI}/_s3/bizmori/"), upload
    good(requests.put(upload, data=PHOTO.read_bytes()))
    good(session.post(f"{orders}/ai-detection/confirm", json={
        "idempotencyKey": "confirm", "orderId": order["orderId"]}))
    pass_a_second()
    detail = good(session.get(f"{orders}/{order['orderId']}")).json()["data"]
    assert (detail["status"], detail["probability"]) == ("complete", 0.98), detail
    for field in ("originalImageUrl", "heatmapUrl"):
        assert detail[field].startswith(f"{BIZMORI}/_s3/"), detail
        assert good(requests.get(detail[field])).content
    assert good(requests.get(detail["originalImageUrl"])).content == PHOTO.read_bytes()


def undetectable(host):
    place = good(requests.get(f"{host}/get-presigned-url", headers={"apikey": KEY},
                              params={"file_name": "photo_ai.jpg"})).json()
    assert place["presigned_url"].startswith(f"{host}/_s3/"), place
    headers = {"Content-Type": "image/jpeg", "x-amz-acl": "private"}
    good(requests.put(place["presigned_url"], data=PHOTO.read_bytes(), headers=headers))
    # The bucket's own host, which clients are told to put before the path.
    url = f"https://ai-image-detector-prod.nyc3.digitaloceanspaces.com/{place['file_path']}"
    made = good(requests.post(f"{host}/detect", json={"key": KEY, "url": url})).json()
    pass_a_second()
    pass_a_second()
    good(requests.post(f"{host}/query", json={"id": made["id"]}))
    found = good(requests.post(f"{host}/query", json={"id": made["id"]})).json()
    assert (found["status"], found["result"]) == ("done", 98.0), found
    heatmap = found["result_details"]["heatmap_url"]
    assert heatmap.startswith(f"{host}/_s3/"), found
    assert good(requests.get(heatmap)).content


def stranger():
    """Only the authority counts: with the usual ones the vendor's host is somebody else's."""
    session = requests.Session()
    session.trust_env = False
    try:
        session.get(f"{BIZMORI}/_mock/health")
    except requests.exceptions.SSLError as error:
        assert "CERTIFICATE_VERIFY_FAILED" in str(error), error
        return
    raise AssertionError("a client that does not trust the authority was served")


def main():
    good(requests.put(f"{BIZMORI}/_mock/clock", json={"account": KEY, "mode": "frozen"}))
    bizmori()
    print(f"requests: an order went its way at {BIZMORI}")
    for host in HOSTS:
        undetectable(host)
        print(f"requests: a document went its way at {host}")
    stranger()
    print("requests: who does not trust the authority is not served")


if __name__ == "__main__":
    main()
