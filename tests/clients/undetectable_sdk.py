#!/usr/bin/env python3
"""Tests a running server with the official Python SDK, unmodified: only its base_url is set.

    PYTHONPATH=where/the/sdk/is tests/clients/undetectable_sdk.py http://127.0.0.1:8080

Works with any version since 20260521. Exit code 0 if every call returns what users of the SDK expect.
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
    # Name of the module up to 20260525.1.0.
    sdk = importlib.import_module("ai_image_detection")

PHOTO = os.path.join(os.path.dirname(__file__), "..", "..", "fixtures", "photo.jpg")
# Versions since 20260709 wait for the analysis. Older ones return when the document is done.
WAITS_FOR_ANALYSIS = hasattr(sdk.ImageDetectionService, "_is_analysis_ready")


def same(name, actual, expected):
    if actual != expected:
        sys.exit(f"{name}: expected {expected!r}, got {actual!r}")
    print(f"{name}: {actual!r}")


def starts_with(name, url, magic):
    with urlopen(url) as response:
        same(name, response.read()[: len(magic)], magic)


def error_of(name, error_type, call, *arguments):
    """Returns the message of the error that the call must raise."""
    try:
        result = call(*arguments)
    except error_type as error:
        return str(error)
    sys.exit(f"{name}: expected an error, got {result!r}")


def finished(client, document):
    """Queries the document until its heatmap and its analysis have ended."""
    for _ in range(100):
        details = document["result_details"]
        statuses = details["heatmap_status"], details["analysis_results_status"]
        if not {"pending", "analyzing"} & set(statuses):
            return document
        time.sleep(0.1)
        document = client.service.query(document["id"])
    sys.exit(f"the document did not finish: {document}")


def check_detection_by_name(client, directory):
    picture = shutil.copy(PHOTO, os.path.join(directory, "photo_ai.jpg"))
    document = client.detect(picture)
    same("status", document["status"], "done")
    same("result", document["result"], 98)
    if WAITS_FOR_ANALYSIS:
        same("analysis", document["result_details"]["analysis_results_status"], "ready")
    document = finished(client, document)
    details = document["result_details"]
    same("final_result", details["final_result"], "AI Generated")
    same("tags", len(details["analysis_results"]["imageTags"]), 5)
    starts_with("preview", document["preview_url"], b"\xff\xd8\xff")
    same("heatmap", details["heatmap_status"], "ready")
    starts_with("heatmap", details["heatmap_url"], b"\x89PNG")


def check_detection_by_metadata(client):
    document = client.detect(PHOTO, email="a@b.invalid", generate_preview=False)
    details = document["result_details"]
    same("result of a camera's photograph", document["result"], 4)
    same("final_result of the photograph", details["final_result"], "Real")
    same("heatmap of the photograph", details["heatmap_status"], None)
    same("preview of the photograph", document["preview_url"], None)


def check_single_steps(client, directory):
    """Makes the single calls that the SDK's README describes."""
    service = client.service
    picture = shutil.copy(PHOTO, os.path.join(directory, "photo_fail.jpg"))
    slot = service.get_presigned_url("photo_fail.jpg")
    same("presigned URL", slot["status"], "success")
    same("upload", service.upload(slot["presigned_url"], picture, "image/jpeg"), True)
    url = service.build_detect_file_url(slot["file_path"], slot["presigned_url"])
    queued = service.detect(url)
    same("queued", queued["status"], "pending")
    progress = []
    on_progress = lambda attempt, document: progress.append((attempt, document["status"]))
    document = service.poll_for_result(queued["id"], 100, 0.1, on_progress)
    same("status of a failing document", document["status"], "failed")
    same("result of a failing document", document["result"], None)
    same("last progress", progress[-1], (len(progress), "failed"))
    unknown = {"id": str(uuid.uuid4()), "status": "not_found"}
    same("an unknown document", service.query(unknown["id"]), unknown)


def check_errors(client, directory):
    picture = os.path.join(directory, "note.jpg")
    with open(picture, "w", encoding="utf-8") as file:
        file.write("no picture " * 200)
    message = error_of("a text file", sdk.DetectError, client.detect, picture)
    same("error of a text file", message, "Invalid file type")
    message = error_of("an extension", sdk.PresignError, client.service.get_presigned_url, "note.txt")
    same("error of an extension", message, "Unsupported image type")
    without_key = sdk.ImageDetectionService(client.base_url, "")
    message = error_of("no key", sdk.CreditCheckError, without_key.check_user_credits)
    same("error without a key", message, "User verification failed")


def main():
    client = sdk.ImageDetectionClient(api_key=str(uuid.uuid4()), base_url=sys.argv[1])
    full = {"baseCredits": 10000, "boostCredits": 1000, "credits": 11000}
    same("credits", client.check_user_credits(), full)
    with tempfile.TemporaryDirectory() as directory:
        check_detection_by_name(client, directory)
        left = {**full, "baseCredits": 9999, "credits": 10999}
        same("credits after one picture", client.check_user_credits(), left)
        check_detection_by_metadata(client)
        check_single_steps(client, directory)
        check_errors(client, directory)
    same("credits after three", client.check_user_credits()["credits"], 10997)


if __name__ == "__main__":
    main()
