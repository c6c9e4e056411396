"""The one clock of the sandbox."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Wall time plus an offset, so that days can pass in a moment for every system at once."""

    def __init__(self) -> None:
        self._offset = timedelta()

    def now(self) -> datetime:
        """The current moment, aware, in UTC."""
        return self.wall() + self._offset

    @staticmethod
    def wall() -> datetime:
        """The moment outside of the sandbox, which no offset moves."""
        return datetime.now(UTC)

    def advance(self, by: timedelta) -> None:
        """Let time pass for everything that asks this clock."""
        self._offset += by
