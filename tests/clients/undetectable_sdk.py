#!/usr/bin/env python3
"""The official Python SDK, unmodified, against a running server: only its base_url is set.

    tests/clients/undetectable_sdk.py http://127.0.0.1:8080

Ends with exit code 0 if every call answers what the SDK's users expect of it.
"""

import os
import shutil
import sys
import tempfile
import uuid
from urllib.request import urlopen

from truthscan.image_detection import DetectError, ImageDetectionClient

PHOTO = os.path.join(os.path.dirname(__file__), "..", "..", "fixtures", "photo.jpg")


def same(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: {found!r}, expected {expected!r}")
    print(f"{what}: {found!r}")


def starts_with(what, url, magic):
    with urlopen(url) as answer:
        same(what, answer.read()[: len(magic)], magic)


def detects_by_name_and_draws(client, directory):
    picture = shutil.copy(PHOTO, os.path.join(directory, "photo_ai.jpg"))
    document = client.detect(picture)
    details = document["result_details"]
    same("status", document["status"], "done")
    same("result", document["result"], 98)
    same("final_result", details["final_result"], "AI Generated")
    same("analysis", details["analysis_results_status"], "ready")
    same("tags", len(details["analysis_results"]["imageTags"]), 5)
    starts_with("preview", document["preview_url"], b"\xff\xd8\xff")
    same("heatmap", details["heatmap_status"], "ready")
    starts_with("heatmap", details["heatmap_url"], b"\x89PNG")


def detects_by_metadata(client):
    document = client.detect(PHOTO)
    details = document["result_details"]
    same("result of a camera's photograph", document["result"], 4)
    same("its final_result", details["final_result"], "Real")
    same("its heatmap", details["heatmap_status"], None)


def says_why_not(client, directory):
    picture = os.path.join(directory, "note.jpg")
    with open(picture, "w", encoding="utf-8") as file:
        file.write("no picture " * 200)
    try:
        client.detect(picture)
    except DetectError as error:
        same("the error of what is no picture", str(error), "Invalid file type")
    else:
        sys.exit("what is no picture was taken for one")


def main():
    client = ImageDetectionClient(api_key=str(uuid.uuid4()), base_url=sys.argv[1])
    full = {"baseCredits": 10000, "boostCredits": 1000, "credits": 11000}
    same("credits", client.check_user_credits(), full)
    with tempfile.TemporaryDirectory() as directory:
        detects_by_name_and_draws(client, directory)
        left = {**full, "baseCredits": 9999, "credits": 10999}
        same("credits after one picture", client.check_user_credits(), left)
        detects_by_metadata(client)
        says_why_not(client, directory)
    same("credits after two", client.check_user_credits()["credits"], 10998)


if __name__ == "__main__":
    main()
