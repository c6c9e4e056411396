"""How long to wait before the next connection (salesforce-wire.md §6)."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """Pauses in seconds, by what went wrong."""

    shortest: float = 1
    longest: float = 60
    throttled: float = 60
    quota: float = 900
    person_needed: float = 300
    healthy: float = 60  # a connection that lasted so long starts the count anew


class Backoff:
    """Grows from the shortest to the longest pause, with full jitter, so that many clients do not come back at once."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._failures = 0

    def next(self) -> float:
        """The pause after one more failure."""
        ceiling = min(self._pace.longest, self._pace.shortest * 2.0**self._failures)
        self._failures = min(self._failures + 1, 30)
        return max(self._pace.shortest, random.uniform(0, ceiling))  # noqa: S311  (no secret)

    def reset(self) -> None:
        """It works again."""
        self._failures = 0
