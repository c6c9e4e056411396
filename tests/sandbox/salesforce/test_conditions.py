"""Conditional requests: only if it changed, only if it did not."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import time_machine

from tests.sandbox.salesforce.conftest import Api

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """Time stands still, so that dates to the second can be told apart."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def http(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


def test_a_record_tells_when_it_was_changed_and_is_not_sent_twice(
    api: Api, maria: str, clock: time_machine.Traveller
) -> None:
    row = f"sobjects/Account/{maria}"
    first = api("GET", row)
    assert first.headers["last-modified"] == http(NOW)
    since = {"If-Modified-Since": first.headers["last-modified"]}
    assert (api("GET", row, headers=since).status, api("HEAD", row, headers=since).status) == (304, 304)
    clock.shift(timedelta(seconds=1))
    api.update("Account", maria, Fax="1")
    assert api("GET", row, headers=since).json()["Fax"] == "1"


def test_a_change_is_refused_when_somebody_was_faster(api: Api, order: str, clock: time_machine.Traveller) -> None:
    row = f"sobjects/Order/{order}"
    read = {"If-Unmodified-Since": api("GET", row).headers["last-modified"]}
    clock.shift(timedelta(seconds=2))
    api.update("Order", order, PoNumber="theirs")
    late = api("PATCH", row, {"PoNumber": "ours"}, headers=read)
    assert (late.status, late.body) == (412, b"")
    assert api("GET", row).json()["PoNumber"] == "theirs"
    assert api("GET", row, headers=read).status == 412
    assert api("DELETE", row, headers=read).status == 204, "dates do not hold back a deletion"


def test_a_date_may_be_in_any_zone_and_must_be_one(api: Api, maria: str) -> None:
    row = f"sobjects/Account/{maria}"
    assert api("GET", row, headers={"If-Modified-Since": "Sat, 21 Nov 2026 18:00:00 +0900"}).status == 304
    for wrong in ("yesterday", "2026-11-21T09:00:00Z", ""):
        for method, header in (("PATCH", "If-Unmodified-Since"), ("GET", "If-Modified-Since")):
            refused = api(method, row, {"Fax": "1"} if method == "PATCH" else None, headers={header: wrong})
            assert (refused.status, refused.json()[0]["errorCode"]) == (400, "INVALID_HEADER")


def test_an_upsert_obeys_too(api: Api, order: str, clock: time_machine.Traveller) -> None:
    before = {"If-Unmodified-Since": http(NOW - timedelta(days=1))}
    assert api("PATCH", "sobjects/Order/Portal_Ref__c/ref-1", {"PoNumber": "x"}, headers=before).status == 412
    assert api("GET", f"sobjects/Order/{order}").json()["PoNumber"] is None


def test_accounts_have_entity_tags(api: Api, maria: str) -> None:
    row = f"sobjects/Account/{maria}"
    tag = api("GET", row).headers["etag"]
    assert api("GET", row, headers={"If-None-Match": f'"other", {tag}'}).status == 304
    assert api("PATCH", row, {"Fax": "1"}, headers={"If-Match": f"W/{tag}"}).status == 204
    for method in ("PATCH", "DELETE"):
        body = {"Fax": "2"} if method == "PATCH" else None
        assert api(method, row, body, headers={"If-Match": tag}).status == 412, "the tag is of an older version"
    assert api("GET", row).json()["Fax"] == "1"
    assert api("PATCH", row, {"Fax": "3"}, headers={"If-Match": "*"}).status == 204
    assert api("GET", row, headers={"If-None-Match": tag}).status == 200


def test_nothing_else_has_entity_tags(api: Api, order: str) -> None:
    row = f"sobjects/Order/{order}"
    assert "etag" not in api("GET", row).headers
    assert api("PATCH", row, {"PoNumber": "1"}, headers={"If-Match": '"anything"'}).status == 204
