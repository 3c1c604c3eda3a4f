#!/usr/bin/env python3
"""The official Python SDK, unmodified, against a running server: only its base_url is set.

    PYTHONPATH=where/the/sdk/is tests/clients/undetectable_sdk.py http://127.0.0.1:8080

Any version since 20260521. Ends with exit code 0 if every call answers what the SDK's users
expect of it.
"""

import importlib
import os
import shutil
import sys
import tempfile
import time
import uuid
from urllib.request import urlopen

try:
    sdk = importlib.import_module("truthscan.image_detection")
except ModuleNotFoundError:
    # Its name up to 20260525.1.0.
    sdk = importlib.import_module("ai_image_detection")

PHOTO = os.path.join(os.path.dirname(__file__), "..", "..", "fixtures", "photo.jpg")
# Versions since 20260709 wait for the analysis; to the others, done is done.
WAITS_FOR_ANALYSIS = hasattr(sdk.ImageDetectionService, "_is_analysis_ready")


def same(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: {found!r}, expected {expected!r}")
    print(f"{what}: {found!r}")


def starts_with(what, url, magic):
    with urlopen(url) as answer:
        same(what, answer.read()[: len(magic)], magic)


def refused(what, error, call, *given):
    try:
        answer = call(*given)
    except error as told:
        return str(told)
    sys.exit(f"{what} was taken: {answer!r}")


def settled(client, document):
    """The document once nothing of it is waited for."""
    for _ in range(100):
        details = document["result_details"]
        statuses = details["heatmap_status"], details["analysis_results_status"]
        if not {"pending", "analyzing"} & set(statuses):
            return document
        time.sleep(0.1)
        document = client.service.query(document["id"])
    sys.exit(f"a document does not come to its end: {document}")


def detects_by_name_and_draws(client, directory):
    picture = shutil.copy(PHOTO, os.path.join(directory, "photo_ai.jpg"))
    document = client.detect(picture)
    same("status", document["status"], "done")
    same("result", document["result"], 98)
    if WAITS_FOR_ANALYSIS:
        same("analysis", document["result_details"]["analysis_results_status"], "ready")
    document = settled(client, document)
    details = document["result_details"]
    same("final_result", details["final_result"], "AI Generated")
    same("tags", len(details["analysis_results"]["imageTags"]), 5)
    starts_with("preview", document["preview_url"], b"\xff\xd8\xff")
    same("heatmap", details["heatmap_status"], "ready")
    starts_with("heatmap", details["heatmap_url"], b"\x89PNG")


def detects_by_metadata(client):
    document = client.detect(PHOTO, email="a@b.invalid", generate_preview=False)
    details = document["result_details"]
    same("result of a camera's photograph", document["result"], 4)
    same("its final_result", details["final_result"], "Real")
    same("its heatmap", details["heatmap_status"], None)
    same("its preview", document["preview_url"], None)


def goes_step_by_step(client, directory):
    """As the SDK's README does without its client."""
    service = client.service
    picture = shutil.copy(PHOTO, os.path.join(directory, "photo_fail.jpg"))
    place = service.get_presigned_url("photo_fail.jpg")
    same("place", place["status"], "success")
    same("upload", service.upload(place["presigned_url"], picture, "image/jpeg"), True)
    url = service.build_detect_file_url(place["file_path"], place["presigned_url"])
    queued = service.detect(url)
    same("queued", queued["status"], "pending")
    seen = []
    told = lambda attempt, document: seen.append((attempt, document["status"]))
    document = service.poll_for_result(queued["id"], 100, 0.1, told)
    same("status of what fails", document["status"], "failed")
    same("its result", document["result"], None)
    same("the last that was seen", seen[-1], (len(seen), "failed"))
    unknown = {"id": str(uuid.uuid4()), "status": "not_found"}
    same("an unknown document", service.query(unknown["id"]), unknown)


def says_why_not(client, directory):
    picture = os.path.join(directory, "note.jpg")
    with open(picture, "w", encoding="utf-8") as file:
        file.write("no picture " * 200)
    told = refused("what is no picture", sdk.DetectError, client.detect, picture)
    same("the error of what is no picture", told, "Invalid file type")
    told = refused("text", sdk.PresignError, client.service.get_presigned_url, "note.txt")
    same("the error of an extension", told, "Unsupported image type")
    nobody = sdk.ImageDetectionService(client.base_url, "")
    told = refused("no key", sdk.CreditCheckError, nobody.check_user_credits)
    same("the error of no key", told, "User verification failed")


def main():
    client = sdk.ImageDetectionClient(api_key=str(uuid.uuid4()), base_url=sys.argv[1])
    full = {"baseCredits": 10000, "boostCredits": 1000, "credits": 11000}
    same("credits", client.check_user_credits(), full)
    with tempfile.TemporaryDirectory() as directory:
        detects_by_name_and_draws(client, directory)
        left = {**full, "baseCredits": 9999, "credits": 10999}
        same("credits after one picture", client.check_user_credits(), left)
        detects_by_metadata(client)
        goes_step_by_step(client, directory)
        says_why_not(client, directory)
    same("credits after three", client.check_user_credits()["credits"], 10997)


if __name__ == "__main__":
    main()
