"""What schemathesis may find and is right; and what it was answered, for fuzz.py."""

import json
import os

import schemathesis

ANSWERED = os.environ["FUZZ_ANSWERED"]

# The vendor's answer to a `url` where nothing was uploaded is a 500. Any other is a fault.
UPLOADED_NOTHING = {"error": "File metadata could not be fetched"}


@schemathesis.hook
def after_call(context, case, response):
    said = None  # of a picture, and of what does not fit
    if "json" in response.headers.get("content-type", [""])[0]:
        body = response.json()
        said = body and (body.get("error") or body.get("status"))
    line = [case.operation.path, response.status_code, said]
    with open(ANSWERED, "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


@schemathesis.hook
def filter_failure(context, failure, case, response):
    is_vendors = response.status_code == 500 and response.json() == UPLOADED_NOTHING
    return not (is_vendors and type(failure).__name__ == "ServerError")
