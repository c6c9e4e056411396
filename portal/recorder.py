"""Every outside call leaves one log line and two metrics (observability.md §2, §5); never a body, never a person."""

import structlog
from prometheus_client import Counter, Histogram

log = structlog.get_logger("portal.remote")

REQUESTS = Counter("portal_remote_requests_total", "Calls to outside systems.", ["system", "operation", "result"])
DURATION = Histogram(
    "portal_remote_request_duration_seconds",
    "How long calls to outside systems took.",
    ["system", "operation"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)


class LogAndMetrics:
    """The CallRecorder of every process."""

    def record(self, *, system: str, operation: str, result: str, seconds: float, status: int | None = None) -> None:
        """Counts and logs one call; the correlation id comes from the context."""
        REQUESTS.labels(system=system, operation=operation, result=result).inc()
        DURATION.labels(system=system, operation=operation).observe(seconds)
        log.info(
            "remote call",
            system=system,
            operation=operation,
            result=result,
            duration_ms=round(seconds * 1000),
            status=status,
        )
