#!/usr/bin/env python3
"""Runs schemathesis against a running server, with the server's own OpenAPI description:

    tests/clients/fuzz.py http://127.0.0.1:8080 WORK_DIRECTORY

First openapi-spec-validator checks that the descriptions of all APIs are OpenAPI 3.1. Then the program creates
documents in every state, so that generated calls can reach them, and runs schemathesis with fuzz.toml. Last it
runs schemathesis with fuzz_bizmori.toml on the description of BIZ MORI. Exit code 0 if every response was as
described, and none was an internal error.
"""

import io
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from urllib.parse import quote
from urllib.request import Request, urlopen

from openapi_spec_validator import OpenAPIV31SpecValidator

HERE = os.path.dirname(os.path.abspath(__file__))
FIXTURES = os.path.join(HERE, "..", "..", "fixtures")
# Account with finished documents, and account with a frozen clock.
KEY, FROZEN = "fuzz", "fuzz-frozen"
# Responses that schemathesis must get at least once: path, status, and the error or the document's status.
EXPECTED = [
    ["/bulk-upload", 200, "pending"],
    ["/bulk-upload", 400, "No valid images found in ZIP"],
    ["/bulk-upload", 400, "URL must point to a ZIP file"],
    ["/bulk-upload", 422, None],
    ["/bulk-upload/query", 200, "done"],
    ["/bulk-upload/query", 200, None],
    ["/bulk-upload/query", 400, "Document is not a bulk upload (image-zip) result"],
    ["/check-user-credits", 200, None],
    ["/get-presigned-url", 200, "success"],
    ["/get-presigned-url", 400, "Unsupported image type"],
    ["/get-presigned-url", 422, None],
    ["/detect", 200, "pending"],
    ["/detect", 400, "File size is too small"],
    ["/detect", 400, "Input URL cannot be empty"],
    ["/detect", 400, "Invalid file type"],
    ["/detect", 403, "User verification failed"],
    ["/detect", 422, None],
    ["/detect", 500, "File metadata could not be fetched"],
    ["/heatmap/{id}", 200, None],
    ["/heatmap/{id}", 404, "Document not found"],
    ["/heatmap/{id}", 404, "Heatmap not found"],
    ["/preview/{id}", 200, None],
    ["/preview/{id}", 403, "User verification failed"],
    ["/preview/{id}", 404, "Preview not found"],
    ["/_s3/ai-image-detector-prod/results/{id}/{name}", 200, None],
    ["/_s3/ai-image-detector-prod/results/{id}/{name}", 404, "File not found"],
    ["/health", 200, "healthy"],
    ["/health", 405, None],
    ["/query", 200, "done"],
    ["/query", 200, "failed"],
    ["/query", 200, "pending"],
    ["/query", 200, None],
    ["/query", 422, None],
]
EVERYTHING = {"generate_preview": True, "generate_heatmap_overlayed": True}


def call(origin, method, path, body=None, headers=()):
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json", **dict(headers)}
    url = path if path.startswith("http") else origin + path
    with urlopen(Request(url, data, headers, method=method)) as answer:
        text = answer.read()
        return json.loads(text) if text else None


def upload(origin, key, name, content):
    path = f"/get-presigned-url?file_name={quote(name)}"
    slot = call(origin, "GET", path, headers={"apikey": key})
    call(origin, "PUT", slot["presigned_url"], content)
    return slot["file_path"]


def zipped(files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name, content in files.items():
            file.writestr(name, content)
    return stream.getvalue()


def uploads(origin):
    """Uploads files that /detect accepts, files that it refuses, one for the other key, and ZIPs."""
    with open(os.path.join(FIXTURES, "photo.jpg"), "rb") as file:
        photo = file.read()
    names = ["photo", "photo_ai", "photo_human", "photo_edited", "photo_aiedited", "photo_grok",
             "photo_fail", "photo_blurred", "photo_screen"]
    accepted = [upload(origin, KEY, f"{name}.jpg", photo) for name in names]
    refused = [
        upload(origin, KEY, "small.jpg", photo[:1000]),
        upload(origin, KEY, "torn.jpg", photo[:2000]),
        upload(origin, KEY, "other.png", photo),
    ]
    waiting = upload(origin, FROZEN, "photo_ai.jpg", photo)
    zips = [
        upload(origin, KEY, "photos.zip", zipped({"a_ai.jpg": photo, "b.pdf": photo})),
        upload(origin, KEY, "notes.zip", zipped({"note.txt": photo})),
        upload(origin, KEY, "torn.zip", photo),
    ]
    return accepted, refused, waiting, zips


def documents(origin, accepted, waiting, zips):
    def detect(key, path, **options):
        return call(origin, "POST", "/detect", {"key": key, "url": path, **options})["id"]

    ids = [detect(KEY, path, **EVERYTHING) for path in accepted]
    ids += [detect(KEY, accepted[1], generate_heatmap=False, generate_analysis_details=False)]
    call(origin, "PUT", "/_mock/clock", {"account": FROZEN, "mode": "frozen"})
    bulk = call(origin, "POST", "/bulk-upload", {"key": KEY, "url": zips[0]})["id"]
    ids += [bulk, detect(FROZEN, waiting), "00000000-0000-4000-8000-000000000000"]
    # The analysis is ready last.
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        document = call(origin, "POST", "/query", {"id": ids[1]})
        if (document["result_details"] or {}).get("analysis_results_status") == "ready":
            return ids
        time.sleep(0.1)
    sys.exit(f"the document did not finish: {document}")


def dictionary(directory, name, values):
    with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(value)}\n" for value in values)


def main():
    origin, directory = sys.argv[1:]
    os.makedirs(directory, exist_ok=True)
    for path in ["/_mock/openapi/bizmori.json", "/openapi.json", "/_mock/openapi/control.json"]:
        description = call(origin, "GET", path)
        OpenAPIV31SpecValidator(description).validate()
        print(f"{path} is OpenAPI 3.1:", ", ".join(sorted(description["paths"])))

    call(origin, "PUT", f"/_mock/accounts/{KEY}", {"credits": None})
    accepted, refused, waiting, zips = uploads(origin)
    dictionary(directory, "urls", [*accepted, *refused, *zips, "", "uploads/none.jpg"])
    dictionary(directory, "documents", documents(origin, accepted, waiting, zips))
    config = shutil.copy(os.path.join(HERE, "fuzz.toml"), directory)
    program = os.path.join(os.path.dirname(sys.executable), "schemathesis")
    command = [program, "--config-file", config, "run", f"{origin}/openapi.json"]
    responses = os.path.join(directory, "responses")
    hooks = {
        "FUZZ_RESPONSES": responses,
        "PYTHONPATH": HERE,
        "SCHEMATHESIS_HOOKS": "fuzz_hooks",
    }
    code = subprocess.run(command, cwd=directory, env={**os.environ, **hooks}).returncode
    if code != 0:
        sys.exit(code)
    with open(responses, encoding="utf-8") as file:
        seen = [json.loads(line) for line in file]
    missed = [line for line in EXPECTED if line not in seen]
    if missed:
        sys.exit(f"schemathesis never got these responses: {missed}")
    print(f"schemathesis got {len(seen)} responses, all as described")

    # Without documents in every state: generated calls create orders, but reach few that have ended.
    config = shutil.copy(os.path.join(HERE, "fuzz_bizmori.toml"), directory)
    command = [program, "--config-file", config, "run", f"{origin}/_mock/openapi/bizmori.json"]
    sys.exit(subprocess.run(command, cwd=directory).returncode)


if __name__ == "__main__":
    main()
