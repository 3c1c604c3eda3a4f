"""Tests of pictures.py with both vendors. All tests run in parallel, each with its own key.

    pytest --numprocesses 2
"""

from pathlib import Path

import pytest
import requests
from pictures import Pictures

PHOTO = (Path(__file__).parents[4] / "fixtures" / "photo.jpg").read_bytes()


def pictures_of(account):
    return Pictures(account.origin, account.origin, account.key)


def test_protect_returns_another_jpeg(new_account):
    account = new_account()
    protected = pictures_of(account).protect("photo.jpg", PHOTO)
    assert protected.startswith(b"\xff\xd8\xff")
    assert protected != PHOTO
    assert account.statuses("storage.*") == [200, 200]


@pytest.mark.parametrize(
    "name, verdict", [("photo_ai.jpg", ("AI Generated", 98)), ("photo.jpg", ("Real", 4))]
)
def test_judge_returns_the_verdict(new_account, name, verdict):
    account = new_account()
    # The clock jumps to whatever is due next, so the test does not wait.
    account.mock("PUT", "clock", mode="jump")
    assert pictures_of(account).judge(name, PHOTO) == verdict
    assert account.statuses("undetectable.detect") == [200]


def test_upload_after_expiry_gets_a_new_url(new_account):
    late, punctual = new_account(), new_account()
    orders = {account: pictures_of(account).order("photo.jpg") for account in (late, punctual)}
    # An hour passes for one key only.
    late.mock("POST", "clock/advance", by="PT61M")
    for account, order in orders.items():
        pictures_of(account).upload(order, PHOTO)
    assert late.statuses("storage.put") == [403, 200]
    assert late.statuses("bizmori.refreshUploadUrls") == [200]
    assert punctual.statuses("storage.put") == [200]
    assert punctual.statuses("bizmori.refreshUploadUrls") == []


def busy(account, times):
    when = {"operation": "bizmori.createAntiAi"}
    then = {"respond": {"status": 503}}
    account.mock("POST", "rules", times=times, when=when, then=then)


def test_order_retries_a_vendor_that_is_busy_twice(new_account):
    account = new_account()
    busy(account, times=2)
    pictures_of(account).order("photo.jpg")
    assert account.statuses("bizmori.createAntiAi") == [503, 503, 200]


def test_protect_gives_up_after_three_tries(new_account):
    account = new_account()
    busy(account, times=None)
    with pytest.raises(requests.exceptions.RetryError):
        pictures_of(account).protect("photo.jpg", PHOTO)
    assert account.statuses("*") == [503, 503, 503]
