"""One way to make an HTTP session, and one way to make a call: total deadline, size cap, correlation id, one record."""

from typing import Protocol


class CallRecorder(Protocol):
    """Told about every outside call once; writes the log line and the metric. Never raises."""

    def record(self, *, system: str, operation: str, result: str, seconds: float, status: int | None = None) -> None:
        """`result` is ok, app_error, http_error, timeout, bad_body or refused (observability.md §2)."""
