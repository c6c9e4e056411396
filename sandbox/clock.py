"""The one clock of the sandbox."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path


class Clock:
    """Wall time plus an offset, so that days can pass in a moment for every system at once.

    With a `path` the offset is kept in that file and outlives a restart.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._offset = timedelta()
        if path and path.exists():
            self._offset = timedelta(seconds=json.loads(path.read_text(encoding="utf-8"))["offset_s"])

    @property
    def offset(self) -> timedelta:
        """How far the sandbox's time is ahead of the time outside of it; negative when it is behind."""
        return self._offset

    def now(self) -> datetime:
        """The current moment, aware, in UTC."""
        return self.wall() + self._offset

    @staticmethod
    def wall() -> datetime:
        """The moment outside of the sandbox, which no offset moves."""
        return datetime.now(UTC)

    def advance(self, by: timedelta) -> None:
        """Let time pass, or go back, for everything that asks this clock. Raises OverflowError beyond the years of
        `datetime`; nothing is changed then."""
        self._move(self._offset + by)

    def set(self, moment: datetime) -> None:
        """Make it this (aware) moment now; from there time passes at its usual speed."""
        self._move(moment - self.wall())

    def reset(self) -> None:
        """Back to the time outside."""
        self._move(timedelta())

    @classmethod
    def possible(cls, offset: timedelta) -> timedelta:
        """The offset itself. Raises OverflowError when it leads out of the years of `datetime`."""
        # A day of room on either side, so that no time zone's local time of it is out of range either.
        for room in (timedelta(days=-1), timedelta(days=1)):
            cls.wall() + offset + room
        return offset

    def _move(self, offset: timedelta) -> None:
        self._offset = self.possible(offset)
        if self._path:
            partial = self._path.with_suffix(".new")
            partial.write_text(json.dumps({"offset_s": offset.total_seconds()}), encoding="utf-8")
            partial.replace(self._path)
