"""Relative dates such as LAST_N_MONTHS:3, and what date functions make of a moment."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sandbox.salesforce import moments
from sandbox.salesforce.schema import Field

_DAY = timedelta(days=1)
_UNITS = "WEEK|MONTH|QUARTER|YEAR|FISCAL_QUARTER|FISCAL_YEAR"
_FIXED = re.compile(rf"(LAST|THIS|NEXT)_({_UNITS})")
_COUNTED = re.compile(rf"(LAST|NEXT)_N_(DAY|{_UNITS})S")
_AGO = re.compile(rf"N_(DAY|{_UNITS})S_AGO")
_SINGLE_DAYS = {"YESTERDAY": -1, "TODAY": 0, "TOMORROW": 1}
_WORD = re.compile(r"([A-Z0-9_]+)(?:\s*:\s*(\d+))?")
_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
# More units than this lead out of the calendar whatever they are.
_MOST = 4_000_000

Days = tuple[date, date]


def is_relative(text: str) -> bool:
    """Whether the word names a period of time."""
    match = _WORD.fullmatch(text.upper())
    if not match:
        return False
    name, number = match.groups()
    counted = _COUNTED.fullmatch(name) or _AGO.fullmatch(name)
    alone = name in _SINGLE_DAYS or name in ("LAST_90_DAYS", "NEXT_90_DAYS") or _FIXED.fullmatch(name)
    return bool(counted if number is not None else alone)


@dataclass(frozen=True)
class Calendar:
    """What days are to the user who asks: days begin at midnight where the user is, and the org's fiscal year in the
    month `fiscal_start`. That year is called by the calendar year in which it ends."""

    zone: ZoneInfo
    fiscal_start: int = 1

    def period(self, field: Field, text: str, now: datetime) -> tuple[str, str]:
        """First value within a relative date and first value after it, as a date or datetime field stores them."""
        match = _WORD.fullmatch(text.upper())
        if match is None:
            raise ValueError(text)
        today = now.astimezone(self.zone).date()
        start, end = self._days(match[1], min(int(match[2] or 0), _MOST), today)
        if field.type == "date":
            return start.isoformat(), end.isoformat()
        return self._midnight(start), self._midnight(end)

    def call(self, function: str, moment: datetime) -> int | str:
        """A date function of a moment in the time zone it is to be seen in."""
        if function.startswith("FISCAL_"):
            months = moment.year * 12 + moment.month - self.fiscal_start
            moment = datetime(months // 12 + (self.fiscal_start > 1), months % 12 + 1, 1)  # noqa: DTZ001 - a month only
            function = f"CALENDAR_{function.removeprefix('FISCAL_')}"
        return _FUNCTIONS[function](moment)

    def _midnight(self, day: date) -> str:
        try:
            return moments.write(datetime.combine(day, time(), self.zone).astimezone(UTC))
        except OverflowError:
            return moments.write(datetime.combine(day, time(), UTC))

    def _days(self, name: str, number: int, today: date) -> Days:
        if name in _SINGLE_DAYS:
            return self._run(today, "DAY", _SINGLE_DAYS[name], 1)
        if name in ("LAST_90_DAYS", "NEXT_90_DAYS"):
            name, number = name.replace("90", "N"), 90
        if fixed := _FIXED.fullmatch(name):
            return self._run(today, fixed[2], {"LAST": -1, "THIS": 0, "NEXT": 1}[fixed[1]], 1)
        if ago := _AGO.fullmatch(name):
            return self._run(today, ago[1], -number, 1)
        counted = _COUNTED.fullmatch(name)
        if counted is None:
            raise ValueError(name)
        # Today belongs to the last n days, but the current week, month and so on do not belong to the last n of them.
        if name == "LAST_N_DAYS":
            return self._run(today, "DAY", -number, number + 1)
        return self._run(today, counted[2], -number if counted[1] == "LAST" else 1, number)

    def _run(self, today: date, unit: str, offset: int, length: int) -> Days:
        """`length` units, the first of which is `offset` away from the current one."""
        return self._unit_start(today, unit, offset), self._unit_start(today, unit, offset + length)

    def _unit_start(self, today: date, unit: str, offset: int) -> date:
        if unit == "DAY":
            return _plus_days(today, offset)
        if unit == "WEEK":
            # Weeks begin on Sunday.
            return _plus_days(today, offset * 7 - today.isoweekday() % 7)
        first = self.fiscal_start - 1 if unit.startswith("FISCAL_") else 0
        length = _MONTHS[unit.removeprefix("FISCAL_")]
        months = ((today.year * 12 + today.month - 1 - first) // length + offset) * length + first
        if not date.min.year <= months // 12 <= date.max.year:
            return date.min if offset < 0 else date.max
        return date(months // 12, months % 12 + 1, 1)


def _plus_days(day: date, number: int) -> date:
    try:
        return day + number * _DAY
    except OverflowError:
        return date.min if number < 0 else date.max


_FUNCTIONS: dict[str, Callable[[datetime], int | str]] = {
    "CALENDAR_MONTH": lambda moment: moment.month,
    "CALENDAR_QUARTER": lambda moment: (moment.month + 2) // 3,
    "CALENDAR_YEAR": lambda moment: moment.year,
    "DAY_IN_MONTH": lambda moment: moment.day,
    "DAY_IN_WEEK": lambda moment: moment.isoweekday() % 7 + 1,
    "DAY_IN_YEAR": lambda moment: moment.timetuple().tm_yday,
    "DAY_ONLY": lambda moment: moment.date().isoformat(),
    "HOUR_IN_DAY": lambda moment: moment.hour,
    "WEEK_IN_MONTH": lambda moment: (moment.day + 6) // 7,
    "WEEK_IN_YEAR": lambda moment: (moment.timetuple().tm_yday + 6) // 7,
}
FUNCTIONS = frozenset(_FUNCTIONS) | {"FISCAL_MONTH", "FISCAL_QUARTER", "FISCAL_YEAR"}
# These look at the time of day, which a date has none of.
OF_DATETIMES = frozenset({"DAY_ONLY", "HOUR_IN_DAY"})
