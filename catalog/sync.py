"""Makes the mirror equal to Salesforce's catalogue (product.md §4, decisions.md 9)."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from catalog.models import CatalogSync, Product
from catalog.records import Draft, draft
from integrations import gateway
from integrations.errors import OutsideError

log = structlog.get_logger(__name__)
LOCK = 4_202_611  # pg_advisory_xact_lock: one writer of the mirror at a time


class WouldEmpty(Exception):
    """The sync would leave nothing for sale where something was. Nothing was changed; `allow_empty` permits it."""


@dataclass
class SyncReport:
    """What one run changed: SKUs, and for broken products the reasons."""

    added: list[str] = field(default_factory=list)
    changed: dict[str, list[str]] = field(default_factory=dict)  # SKU -> columns
    withdrawn: list[str] = field(default_factory=list)
    broken: dict[str, list[str]] = field(default_factory=dict)
    unchanged: int = 0

    @property
    def changes_something(self) -> bool:
        return bool(self.added or self.changed or self.withdrawn)


def sync(*, allow_empty: bool = False) -> SyncReport:
    """Reads the whole catalogue (one remote query) and writes the mirror in one transaction; safe to repeat.

    Raises WouldEmpty, or an OutsideError of the read; either is kept as a refused CatalogSync row. Must not be called
    inside a transaction.
    """
    started = timezone.now()
    try:
        records = gateway.salesforce().catalogue(settings.PORTAL_PRICEBOOK_NAME)
        report = _write(judged([draft(record) for record in records]), allow_empty=allow_empty)
    except (OutsideError, WouldEmpty) as error:
        CatalogSync.objects.create(started_at=started, finished_at=timezone.now(), error=str(error)[:255])
        raise
    CatalogSync.objects.create(
        started_at=started,
        finished_at=timezone.now(),
        ok=True,
        changed=report.changes_something,
        report=asdict(report),
    )
    log.info("catalog.synced", action="sync_catalog", count=len(records))
    return report


def judged(drafts: Sequence[Draft]) -> list[Draft]:
    """Adds the reasons that need the whole catalogue: SKUs held twice, activation items that cannot be charged."""
    times = Counter(each.sku for each in drafts if each.sku)
    for each in drafts:
        if times[each.sku] > 1:
            each.broken.append(f"StockKeepingUnit: {each.sku} belongs to {times[each.sku]} products")
    fees = {
        each.sku
        for each in drafts
        if each.columns["item_class"] == Product.ItemClass.ACTIVATION and each.sku and not each.broken
    }
    for each in drafts:
        wanted = each.columns["activation_sku"]
        if wanted and wanted not in fees:
            each.broken.append(f"Portal_Activation_SKU__c: {wanted} is not a sound activation item")
    return list(drafts)


@transaction.atomic
def _write(drafts: Sequence[Draft], *, allow_empty: bool) -> SyncReport:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    now, report = timezone.now(), SyncReport()
    known = {product.sf_product_id: product for product in Product.objects.select_for_update()}
    _refuse_to_empty(known.values(), drafts, allow_empty=allow_empty)
    gone = set(known) - {each.sf_product_id for each in drafts}
    report.withdrawn = sorted(known[key].sku for key in gone if known[key].withdrawn_at is None)
    Product.objects.filter(sf_product_id__in=gone, withdrawn_at=None).update(withdrawn_at=now, synced_at=now)
    _free_moved_skus(known, drafts, now)
    for each in drafts:
        _keep(each, known.get(each.sf_product_id), now, report)
    Product.objects.filter(sf_product_id__in=[each.sf_product_id for each in drafts]).update(synced_at=now)
    return report


def _free_moved_skus(known: Mapping[str, Product], drafts: Sequence[Draft], now: datetime) -> None:
    """A SKU may move to another product: who leaves one steps aside before anybody takes it (unique while on sale)."""
    moved = [product for each in drafts if (product := known.get(each.sf_product_id)) and product.sku != each.sku]
    Product.objects.filter(pk__in=[product.pk for product in moved]).update(withdrawn_at=now)
    for product in moved:
        product.withdrawn_at = now


def _keep(each: Draft, product: Product | None, now: datetime, report: SyncReport) -> None:
    name = each.sku or each.sf_product_id
    if each.broken:
        report.broken[name] = each.broken
    wanted = {**each.columns, "broken": each.broken, "withdrawn_at": None}
    if product is None:
        Product.objects.create(sf_product_id=each.sf_product_id, synced_at=now, **wanted)
        report.added.append(name)
        return
    changed = [column for column, value in wanted.items() if getattr(product, column) != value]
    if not changed:
        report.unchanged += 1
        return
    for column in changed:
        setattr(product, column, wanted[column])
    product.save(update_fields=changed)
    report.changed[name] = changed


def _refuse_to_empty(known: Iterable[Product], drafts: Sequence[Draft], *, allow_empty: bool) -> None:
    sold = any(product.withdrawn_at is None and not product.broken and product.accessible for product in known)
    will_be = any(not each.broken and each.columns["accessible"] for each in drafts)
    if sold and not will_be and not allow_empty:
        raise WouldEmpty(
            f"Salesforce returned {len(drafts)} products and none could be sold; the catalogue was left as it is."
        )
