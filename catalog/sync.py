"""Makes the mirror equal to Salesforce's catalogue (product.md §4, decisions.md 9): changes often, the whole hourly.

What was deleted in Salesforce appears in no list of changes, and a row may be committed later than its stamp says;
so the whole catalogue is read again from time to time, and after every run that failed.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.utils import timezone

from catalog import mirror
from catalog.mirror import SyncReport, WouldEmpty
from catalog.models import CatalogSync
from catalog.records import draft
from integrations import gateway
from integrations.errors import OutsideError, Unavailable
from integrations.salesforce.schemas import ProductRecord
from journal import rounds
from journal.commits import commit

__all__ = ["AlreadyRunning", "SyncReport", "WouldEmpty", "sync"]

log = structlog.get_logger(__name__)
Kind = CatalogSync.Kind
LOCK = "catalog.mirror"
WHOLE_EVERY = timedelta(hours=1)
OVERLAP = timedelta(seconds=60)  # rows commit later than their SystemModstamp says
QUIET_RUNS_KEPT = timedelta(days=7)


class AlreadyRunning(Exception):
    """Another process reads the catalogue just now."""


@dataclass(frozen=True)
class _Read:
    """What Salesforce said."""

    kind: CatalogSync.Kind
    records: Sequence[ProductRecord]
    gone: frozenset[str] | None  # None: `records` is the whole catalogue
    until: datetime | None


def sync(*, full: bool = True, allow_empty: bool = False) -> SyncReport:
    """Reads the catalogue (`full`) or what changed in it, and writes the mirror in one transaction; safe to repeat.

    Without `full` the whole is read all the same when the last whole run is an hour old or the last run failed. One
    run at a time over all machines. Raises AlreadyRunning, WouldEmpty, or an OutsideError of the read; the latter two
    are kept as a refused CatalogSync row. Must not be called inside a transaction.
    """
    with rounds.only_one(LOCK) as alone:
        if not alone:
            raise AlreadyRunning
        started = timezone.now()
        try:
            return _written(_read(None if full else _since()), started, allow_empty=allow_empty)
        except (OutsideError, WouldEmpty) as error:
            CatalogSync.objects.create(started_at=started, finished_at=timezone.now(), error=str(error)[:255])
            raise


def _since() -> datetime | None:
    """Up to where the changes are known; None when the whole has to be read."""
    runs = CatalogSync.objects.exclude(kind=Kind.BILLING)
    last, whole = runs.first(), runs.filter(kind=Kind.FULL, ok=True).first()
    if last is None or whole is None or not last.ok or whole.started_at < timezone.now() - WHOLE_EVERY:
        return None
    return last.seen_until


def _read(since: datetime | None) -> _Read:
    if since is None:
        return _read_whole()
    try:
        changes = gateway.salesforce().catalogue_changes(settings.PORTAL_PRICEBOOK_NAME, since=since - OVERLAP)
    except Unavailable:
        raise
    except OutsideError as error:
        log.warning("catalog.changes_refused", reason=error.code)
        return _read_whole()
    if changes is None:
        return _read_whole()
    return _Read(Kind.CHANGES, changes.offered, changes.gone, max(filter(None, (since, changes.until))))


def _read_whole() -> _Read:
    records = gateway.salesforce().catalogue(settings.PORTAL_PRICEBOOK_NAME)
    stamps = (record.changed_at for record in records if record.changed_at)
    return _Read(Kind.FULL, records, None, max(stamps, default=None))


def _written(read: _Read, started: datetime, *, allow_empty: bool) -> SyncReport:
    with commit("catalog.sync"):
        report = mirror.write(
            [draft(record) for record in read.records], gone=read.gone, by=read.kind, allow_empty=allow_empty
        )
        # In the same transaction: pages that browsers keep are told by this row that the catalogue changed.
        CatalogSync.objects.create(
            kind=read.kind,
            started_at=started,
            finished_at=timezone.now(),
            ok=True,
            changed=report.changes_something,
            report=asdict(report),
            seen_until=read.until,
        )
        _forget_quiet_runs()
    log.info("catalog.synced", action="sync_catalog", kind=read.kind.value, count=len(read.records))
    return report


def _forget_quiet_runs() -> None:
    """Runs that changed nothing say nothing after a week; the others are the history of the catalogue."""
    CatalogSync.objects.filter(changed=False, started_at__lt=timezone.now() - QUIET_RUNS_KEPT).delete()
