"""What the housekeeping queue runs for the catalogue."""

from catalog.sync import sync as sync_now
from journal import rounds

SYNC_S = 300


def sync() -> None:
    """Mirrors the catalogue; returns at once when another run is under way or just ended."""
    rounds.run("catalog.sync", SYNC_S, _counted)


def _counted() -> dict[str, int]:
    report = sync_now()
    return {"added": len(report.added), "changed": len(report.changed), "withdrawn": len(report.withdrawn)}
