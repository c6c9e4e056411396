"""Dates and times as Salesforce writes and reads them (salesforce-wire.md, section 3.3)."""

import re
from datetime import UTC, date, datetime

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DATETIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
# No calendar of the platform goes further.
_YEARS = range(1700, 4001)


def write(moment: datetime) -> str:
    """A moment to the second in the one form answers have, which also sorts as text."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000+0000"


def read(text: str) -> str | None:
    """Any accepted spelling of a moment, in the form of answers; None when it is none. No zone means UTC."""
    match = _DATETIME.fullmatch(text)
    if not match:
        return None
    day, time, fraction, zone = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{time}{'+00:00' if zone in (None, 'Z') else zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    if moment.year not in _YEARS:
        return None
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{(fraction or '.')[1:4]:0<3}+0000"


def read_date(text: str) -> str | None:
    """A date as `YYYY-MM-DD`; None when it is none."""
    if not _DATE.fullmatch(text):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return text if day.year in _YEARS else None


def parse(text: str) -> datetime:
    """The moment behind a stored text."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")
