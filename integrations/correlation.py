"""The correlation id that follows one intention through browser, jobs and outside systems (observability.md §5)."""

import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import structlog

ACCEPTED = re.compile(r"^[A-Za-z0-9-]{8,64}$")
_current: ContextVar[str] = ContextVar("correlation_id", default="")


def new_id() -> str:
    """A UUIDv7 as text: sorts by time."""
    milliseconds = time.time_ns() // 1_000_000
    value = milliseconds << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62)
    digits = f"{value:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def current() -> str:
    """The id bound to this context, or an empty text outside of any."""
    return _current.get()


@contextmanager
def bound(correlation_id: str) -> Iterator[str]:
    """Binds `correlation_id` (a new one when empty) to this context, its log lines and its outside calls."""
    value = correlation_id or new_id()
    token = _current.set(value)
    with structlog.contextvars.bound_contextvars(correlation_id=value):
        try:
            yield value
        finally:
            _current.reset(token)
