"""Dates as WHMCS writes them: server-local and without a time zone (whmcs-wire §1), and billing cycles (§2)."""

import calendar
import re
from datetime import MAXYEAR, MINYEAR, date

NO_DATE = "0000-00-00"
NO_TIME = "0000-00-00 00:00:00"
MONTHS = {
    "monthly": 1,
    "quarterly": 3,
    "semiannually": 6,
    "annually": 12,
    "biennially": 24,
    "triennially": 36,
}
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
# Far enough from the ends of the calendar that no cycle or grace period leaves it.
_FIRST, _LAST = date(1000, 1, 1), date(9000, 12, 31)


def is_date(text: str) -> bool:
    """Whether the text is a day of the calendar as `YYYY-MM-DD`."""
    if not _DATE.match(text):
        return False
    try:
        return _FIRST <= date.fromisoformat(text) <= _LAST
    except ValueError:
        return False


def shifted(day: str, days: int) -> str:
    """The date so many days later, or earlier with a negative number; the calendar's ends are not left."""
    ordinal = date.fromisoformat(day).toordinal() + days
    return date.fromordinal(min(max(ordinal, date.min.toordinal()), date.max.toordinal())).isoformat()


def days_between(first: str, last: str) -> int:
    """How many days after the first date the last one is."""
    return (date.fromisoformat(last) - date.fromisoformat(first)).days


def months_later(day: str, months: int, *, meant: int = 0) -> str:
    """The same day of a later month, or the `meant` one; a month too short for it gives its last day."""
    begun = date.fromisoformat(day)
    year, month = divmod(begun.year * 12 + begun.month - 1 + months, 12)
    year = min(max(year, MINYEAR), MAXYEAR)
    return date(year, month + 1, min(meant or begun.day, calendar.monthrange(year, month + 1)[1])).isoformat()


def next_period(start: str, cycle: str, anchor: str) -> str:
    """The first day of the period after the one that begins on `start`.

    A day that a month does not have becomes its last one, and comes back in the next month that has it: the day of
    `anchor`, the date of registration, is the one meant.
    """
    begun = date.fromisoformat(start)
    meant = begun.day
    if _is_last_of_month(begun) and is_date(anchor):
        meant = max(meant, date.fromisoformat(anchor).day)
    return months_later(start, MONTHS[cycle], meant=meant)


def _is_last_of_month(day: date) -> bool:
    return day.day == calendar.monthrange(day.year, day.month)[1]
