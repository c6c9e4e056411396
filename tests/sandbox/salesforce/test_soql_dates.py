"""Relative dates and date functions, with the clock where a test wants it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.salesforce.schema import Field
from sandbox.salesforce.soql.dates import Calendar, is_relative
from tests.sandbox.salesforce.conftest import Api
from tests.sandbox.salesforce.soql_world import opened

DAY = Field(name="CloseDate", type="date")
MOMENT = Field(name="CreatedDate", type="datetime")
# A Wednesday, at nine in the morning in Tokyo.
TOKYO = Calendar(ZoneInfo("Asia/Tokyo"), fiscal_start=4)
NOON = datetime(2026, 11, 18, 0, 0, tzinfo=UTC)

PERIODS = [
    ("TODAY", "2026-11-18", "2026-11-19"),
    ("yesterday", "2026-11-17", "2026-11-18"),
    ("TOMORROW", "2026-11-19", "2026-11-20"),
    ("LAST_WEEK", "2026-11-08", "2026-11-15"),
    ("THIS_WEEK", "2026-11-15", "2026-11-22"),
    ("NEXT_WEEK", "2026-11-22", "2026-11-29"),
    ("LAST_MONTH", "2026-10-01", "2026-11-01"),
    ("THIS_MONTH", "2026-11-01", "2026-12-01"),
    ("NEXT_MONTH", "2026-12-01", "2027-01-01"),
    ("LAST_90_DAYS", "2026-08-20", "2026-11-19"),
    ("NEXT_90_DAYS", "2026-11-19", "2027-02-17"),
    ("LAST_N_DAYS:3", "2026-11-15", "2026-11-19"),
    ("NEXT_N_DAYS : 3", "2026-11-19", "2026-11-22"),
    ("N_DAYS_AGO:2", "2026-11-16", "2026-11-17"),
    ("LAST_N_WEEKS:2", "2026-11-01", "2026-11-15"),
    ("NEXT_N_WEEKS:2", "2026-11-22", "2026-12-06"),
    ("N_WEEKS_AGO:2", "2026-11-01", "2026-11-08"),
    ("LAST_N_MONTHS:2", "2026-09-01", "2026-11-01"),
    ("NEXT_N_MONTHS:2", "2026-12-01", "2027-02-01"),
    ("N_MONTHS_AGO:11", "2025-12-01", "2026-01-01"),
    ("LAST_QUARTER", "2026-07-01", "2026-10-01"),
    ("THIS_QUARTER", "2026-10-01", "2027-01-01"),
    ("NEXT_QUARTER", "2027-01-01", "2027-04-01"),
    ("LAST_N_QUARTERS:2", "2026-04-01", "2026-10-01"),
    ("NEXT_N_QUARTERS:2", "2027-01-01", "2027-07-01"),
    ("N_QUARTERS_AGO:4", "2025-10-01", "2026-01-01"),
    ("LAST_YEAR", "2025-01-01", "2026-01-01"),
    ("THIS_YEAR", "2026-01-01", "2027-01-01"),
    ("NEXT_YEAR", "2027-01-01", "2028-01-01"),
    ("LAST_N_YEARS:5", "2021-01-01", "2026-01-01"),
    ("NEXT_N_YEARS:5", "2027-01-01", "2032-01-01"),
    ("N_YEARS_AGO:1", "2025-01-01", "2026-01-01"),
    ("THIS_FISCAL_QUARTER", "2026-10-01", "2027-01-01"),
    ("THIS_FISCAL_YEAR", "2026-04-01", "2027-04-01"),
    ("LAST_N_FISCAL_YEARS:2", "2024-04-01", "2026-04-01"),
    ("NEXT_FISCAL_YEAR", "2027-04-01", "2028-04-01"),
    ("N_FISCAL_QUARTERS_AGO:3", "2026-01-01", "2026-04-01"),
    ("LAST_N_DAYS:999999999", "0001-01-01", "2026-11-19"),
    ("NEXT_N_YEARS:99999", "2027-01-01", "9999-12-31"),
]


@pytest.mark.parametrize(("word", "start", "end"), PERIODS)
def test_periods(word: str, start: str, end: str) -> None:
    assert is_relative(word)
    assert TOKYO.period(DAY, word, NOON) == (start, end)


@pytest.mark.parametrize("word", ["SOMEDAY", "LAST_N_DAYS", "TODAY:1", "LAST_DAY", "N_MONTHS_AGO", "LAST_N_HOURS:2"])
def test_words_that_name_no_period(word: str) -> None:
    assert not is_relative(word)


@given(st.datetimes(datetime(1990, 1, 1), datetime(2080, 1, 1)), st.sampled_from(PERIODS[:37]))
def test_now_lies_where_the_word_says(now: datetime, case: tuple[str, str, str]) -> None:
    start, end = TOKYO.period(DAY, case[0], now.replace(tzinfo=UTC))
    today = (now + timedelta(hours=9)).date().isoformat()
    name = case[0].upper()
    first = date.fromisoformat(start)
    assert start < end
    if name.startswith(("THIS", "TODAY", "LAST_90", "LAST_N_DAYS")):
        assert start <= today < end
    elif name.startswith(("LAST", "YESTERDAY", "N_")):
        assert end <= today
    else:
        assert today < start
    assert "WEEK" not in name or first.isoweekday() == 7
    assert "MONTH" not in name or first.day == 1
    assert "YEAR" not in name or (first.month, first.day) == ((4, 1) if "FISCAL" in name else (1, 1))


def test_a_calendar_year_is_a_fiscal_year_unless_the_org_says_otherwise() -> None:
    london = Calendar(ZoneInfo("GMT"))
    assert london.period(DAY, "THIS_FISCAL_YEAR", NOON) == ("2026-01-01", "2027-01-01")
    assert [london.call(f"FISCAL_{each}", NOON) for each in ("YEAR", "QUARTER", "MONTH")] == [2026, 4, 11]
    assert [TOKYO.call("FISCAL_YEAR", datetime(2026, month, 1)) for month in (3, 4)] == [2026, 2027]


def test_a_day_of_moments_begins_at_midnight_in_japan() -> None:
    assert TOKYO.period(MOMENT, "TODAY", NOON) == ("2026-11-17T15:00:00.000+0000", "2026-11-18T15:00:00.000+0000")
    assert TOKYO.period(MOMENT, "TODAY", NOON - timedelta(hours=10))[0] == "2026-11-16T15:00:00.000+0000"


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory, key_material: Path) -> Iterator[Api]:
    """An org with one account whose request came in the last second of a year in London."""
    with opened(tmp_path_factory.mktemp("night"), key_material) as api:
        asked = "2026-12-31T23:59:59Z"
        api.create("Account", Name="Night owl", Internet_Eligibility_Request_Date_Time__c=asked)
        yield api


FUNCTIONS = [
    ("CALENDAR_YEAR(X)", 2026),
    ("CALENDAR_YEAR(convertTimezone(X))", 2027),
    ("CALENDAR_QUARTER(X)", 4),
    ("CALENDAR_MONTH(convertTimezone(X))", 1),
    ("DAY_IN_MONTH(X)", 31),
    ("DAY_IN_WEEK(X)", 5),
    ("DAY_IN_WEEK(convertTimezone(X))", 6),
    ("DAY_IN_YEAR(X)", 365),
    ("DAY_ONLY(X)", "2026-12-31"),
    ("DAY_ONLY(convertTimezone(X))", "2027-01-01"),
    ("FISCAL_MONTH(X)", 9),
    ("FISCAL_MONTH(convertTimezone(X))", 10),
    ("FISCAL_QUARTER(X)", 3),
    ("FISCAL_QUARTER(convertTimezone(X))", 4),
    ("FISCAL_YEAR(X)", 2027),
    ("HOUR_IN_DAY(X)", 23),
    ("HOUR_IN_DAY(convertTimezone(X))", 8),
    ("WEEK_IN_MONTH(X)", 5),
    ("WEEK_IN_YEAR(X)", 53),
    ("WEEK_IN_YEAR(convertTimezone(X))", 1),
]


@pytest.mark.parametrize(("call", "expected"), FUNCTIONS)
def test_functions(night: Api, call: str, expected: int | str) -> None:
    call = call.replace("X", "Internet_Eligibility_Request_Date_Time__c")
    shown = night.one(f"SELECT {call} FROM Account WHERE Name = 'Night owl' GROUP BY {call}")
    assert shown["expr0"] == expected
    assert night.one(f"SELECT Name FROM Account WHERE Name = 'Night owl' AND {call} = {expected}")
    assert night.query(f"SELECT Name FROM Account WHERE Name = 'Night owl' AND {call} != {expected}") == []


@pytest.mark.parametrize("call", ["HOUR_IN_DAY(CloseDate)", "CALENDAR_YEAR(Name)", "DAY_ONLY(CloseDate)"])
def test_functions_of_what_they_do_not_take(night: Api, call: str) -> None:
    error = night.error("GET", f"query?q=SELECT+Id+FROM+Opportunity+WHERE+{call}=1")
    assert error["errorCode"] == "INVALID_FIELD"


def test_relative_dates_follow_the_clock(night: Api) -> None:
    soql = "SELECT COUNT() FROM Account WHERE Internet_Eligibility_Request_Date_Time__c = {} AND Name = 'Night owl'"

    def counted(word: str) -> int:
        return int(night("GET", f"query?q={soql.format(word)}".replace(" ", "+")).json()["totalSize"])

    clock = night.world.clock
    clock.advance(datetime(2027, 1, 1, 1, tzinfo=UTC) - clock.now())
    night.token = night.world.org.sessions.open(night.world.org.user_named("carol.suzuki@sonixnet.example")).token
    assert (counted("TODAY"), counted("YESTERDAY"), counted("THIS_YEAR")) == (1, 0, 1)
    clock.advance(timedelta(hours=15))
    night.token = night.world.org.sessions.open(night.world.org.user_named("carol.suzuki@sonixnet.example")).token
    assert (counted("TODAY"), counted("YESTERDAY"), counted("THIS_YEAR")) == (0, 1, 1)
