"""Which records changed, which were deleted, which were used last."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
import time_machine

from tests.sandbox.salesforce.conftest import BASE, Api

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
MRU = {"Sforce-Mru": "updateMru=true"}


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def window(what: str, start: datetime, end: datetime, kind: str = "Account") -> str:
    return f"sobjects/{kind}/{what}?start={quote(start.isoformat())}&end={quote(end.isoformat())}"


def test_updated_records_of_a_window(api: Api, maria: str, clock: time_machine.Traveller) -> None:
    clock.shift(timedelta(hours=1))
    api.update("Account", maria, Fax="1")
    made = api.create("Account", Name="New")
    clock.shift(timedelta(hours=1))
    api.create("Account", Name="Later")
    body = api("GET", window("updated", NOW + timedelta(minutes=30), NOW + timedelta(minutes=90))).json()
    assert body == {"ids": [maria, made], "latestDateCovered": "2026-11-21T10:30:00.000+0000"}
    future = api("GET", window("updated", NOW, NOW + timedelta(days=9))).json()
    assert future["latestDateCovered"] == "2026-11-21T11:00:00.000+0000"
    assert len(future["ids"]) == 5


def test_the_end_of_a_window_is_outside_of_it(api: Api) -> None:
    minute = timedelta(minutes=1)
    assert api("GET", window("updated", NOW - minute, NOW)).json()["ids"] == []
    assert len(api("GET", window("updated", NOW, NOW + minute)).json()["ids"]) == 3
    seconds = timedelta(seconds=59)
    assert len(api("GET", window("updated", NOW + seconds, NOW + minute + seconds)).json()["ids"]) == 3


def test_deleted_records_of_a_window(api: Api, clock: time_machine.Traveller) -> None:
    gone = api.create("Account", Name="Gone")
    clock.shift(timedelta(minutes=10))
    api("DELETE", f"sobjects/Account/{gone}")
    body = api("GET", window("deleted", NOW, NOW + timedelta(hours=1))).json()
    assert body == {
        "deletedRecords": [{"id": gone, "deletedDate": "2026-11-21T09:10:00.000+0000"}],
        "earliestDateAvailable": "2026-11-06T09:10:00.000+0000",
        "latestDateCovered": "2026-11-21T09:10:00.000+0000",
    }
    assert gone not in api("GET", window("updated", NOW, NOW + timedelta(hours=1))).json()["ids"]
    clock.shift(timedelta(days=16))
    anew = Api(api.world)  # the session is long over
    later = anew("GET", window("deleted", NOW, NOW + timedelta(hours=1))).json()
    assert later["deletedRecords"] == [], "after 15 days nobody remembers"


WRONG: list[tuple[str, str]] = [
    ("", "MISSING_ARGUMENT"),
    ("?start=2026-11-21T00:00:00Z", "MISSING_ARGUMENT"),
    ("?start=yesterday&end=2026-11-21T00:00:00Z", "INVALID_REPLICATION_DATE"),
    ("?start=2026-11-21T00:00:00Z&end=2026-11-21T00:00:59Z", "INVALID_REPLICATION_DATE"),
    ("?start=2026-11-21T00:00:00Z&end=2026-11-20T00:00:00Z", "INVALID_REPLICATION_DATE"),
    ("?start=2026-10-21T00:00:00Z&end=2026-11-20T00:00:00Z", "INVALID_REPLICATION_DATE"),
    ("?start=2026-11-22T00:00:00Z&end=2026-11-23T00:00:00Z", "INVALID_REPLICATION_DATE"),
]


@pytest.mark.parametrize("what", ["updated", "deleted"])
@pytest.mark.parametrize(("query", "code"), WRONG)
def test_a_window_has_a_start_and_an_end_within_thirty_days(api: Api, what: str, query: str, code: str) -> None:
    error = api.error("GET", f"sobjects/Account/{what}{query}")
    assert (error["status"], error["errorCode"]) == (400, code)


def test_a_plus_sign_may_come_as_a_blank(api: Api) -> None:
    path = "sobjects/Account/updated/?start=2026-11-21T08:00:00+00:00&end=2026-11-21T10:00:00%2B00:00"
    assert len(api("GET", path).json()["ids"]) == 3


def test_events_are_neither_updated_nor_deleted(api: Api) -> None:
    path = window("updated", NOW, NOW + timedelta(hours=1), "OrderProvisionRequested__e")
    assert api.error("GET", path)["errorCode"] == "NOT_FOUND"


def test_recently_used_are_what_was_asked_to_be_remembered(api: Api, maria: str) -> None:
    api("GET", f"sobjects/Account/{maria}")
    assert api("GET", "recent").json() == []
    made = api("POST", "sobjects/Contact", {"LastName": "Kato"}, headers=MRU).json()["id"]
    for _ in range(2):
        api("GET", f"sobjects/Account/{maria}", headers=MRU)
    item: dict[str, Any] = {
        "attributes": {"type": "Account", "url": f"{BASE}/sobjects/Account/{maria}"},
        "Id": maria,
        "Name": "Santos Maria",
    }
    recent = api("GET", "recent").json()
    assert [each["Id"] for each in recent] == [maria, made]
    assert recent[0] == item
    assert api("GET", "recent?limit=1").json() == [item]
    assert api("GET", "sobjects/Account").json()["recentItems"] == [item]
    api("DELETE", f"sobjects/Contact/{made}")
    assert [each["Id"] for each in api("GET", "recent").json()] == [maria]


@pytest.mark.parametrize("limit", ["0", "201", "x", "-1", "²", "1" * 30])
def test_recently_used_have_a_limit(api: Api, limit: str) -> None:
    assert api.error("GET", f"recent?limit={quote(limit)}")["status"] == 400
