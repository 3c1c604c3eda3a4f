#!/usr/bin/env python3
"""A client whose hosts are fixed: both vendors' flows at the vendors' own URLs, with requests.

    PYTHONPATH=tests/clients/aliased ALIASED_PORT=8443 REQUESTS_CA_BUNDLE=ca.pem tests/clients/tls.py

Only the calls of the clock are specific to the mock. Exit code 0 if all responses are as expected.
"""

import uuid
from pathlib import Path

import requests

PHOTO = Path(__file__).resolve().parent.parent.parent / "fixtures" / "photo.jpg"
BIZMORI = "https://api.bizmori.com"
HOSTS = ["https://ai-image-detect.undetectable.ai", "https://detect-image.truthscan.com"]
KEY = f"fixed-{uuid.uuid4().hex}"


def checked(response):
    assert response.ok, f"{response.url}: {response.status_code} {response.text} {response.headers}"
    return response


def advance():
    """Advances the key's clock by a second."""
    checked(requests.post(f"{BIZMORI}/_mock/clock/advance", json={"account": KEY, "by": "PT1S"}))


def bizmori():
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {KEY}"
    orders = f"{BIZMORI}/api/v2/orders"
    order = checked(session.post(f"{orders}/ai-detection", json={
        "idempotencyKey": "create", "fileName": "photo_ai.jpg",
        "options": {"generateHeatmap": True}})).json()["data"]
    upload = order["file"]["uploadUrl"]
    assert upload.startswith(f"{BIZMORI}/_s3/bizmori/"), upload
    checked(requests.put(upload, data=PHOTO.read_bytes()))
    checked(session.post(f"{orders}/ai-detection/confirm", json={
        "idempotencyKey": "confirm", "orderId": order["orderId"]}))
    advance()
    detail = checked(session.get(f"{orders}/{order['orderId']}")).json()["data"]
    assert (detail["status"], detail["probability"]) == ("complete", 0.98), detail
    for field in ("originalImageUrl", "heatmapUrl"):
        assert detail[field].startswith(f"{BIZMORI}/_s3/"), detail
        assert checked(requests.get(detail[field])).content
    assert checked(requests.get(detail["originalImageUrl"])).content == PHOTO.read_bytes()


def undetectable(host):
    slot = checked(requests.get(f"{host}/get-presigned-url", headers={"apikey": KEY},
                              params={"file_name": "photo_ai.jpg"})).json()
    assert slot["presigned_url"].startswith(f"{host}/_s3/"), slot
    headers = {"Content-Type": "image/jpeg", "x-amz-acl": "private"}
    checked(requests.put(slot["presigned_url"], data=PHOTO.read_bytes(), headers=headers))
    # The bucket's host, which the vendor documents for this URL.
    url = f"https://ai-image-detector-prod.nyc3.digitaloceanspaces.com/{slot['file_path']}"
    document = checked(requests.post(f"{host}/detect", json={"key": KEY, "url": url})).json()
    advance()
    advance()
    checked(requests.post(f"{host}/query", json={"id": document["id"]}))
    document = checked(requests.post(f"{host}/query", json={"id": document["id"]})).json()
    assert (document["status"], document["result"]) == ("done", 98.0), document
    heatmap = document["result_details"]["heatmap_url"]
    assert heatmap.startswith(f"{host}/_s3/"), document
    assert checked(requests.get(heatmap)).content


def check_untrusting_client():
    """Checks that a client with the usual authorities refuses the server's certificate."""
    session = requests.Session()
    session.trust_env = False
    try:
        session.get(f"{BIZMORI}/_mock/health")
    except requests.exceptions.SSLError as error:
        assert "CERTIFICATE_VERIFY_FAILED" in str(error), error
        return
    raise AssertionError("a client that does not trust the authority accepted the certificate")


def main():
    checked(requests.put(f"{BIZMORI}/_mock/clock", json={"account": KEY, "mode": "frozen"}))
    bizmori()
    print(f"requests: an order completed at {BIZMORI}")
    for host in HOSTS:
        undetectable(host)
        print(f"requests: a document was done at {host}")
    check_untrusting_client()
    print("requests: a client that does not trust the authority refused the certificate")


if __name__ == "__main__":
    main()
