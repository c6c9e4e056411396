"""Writes the mirror: one writer at a time, one transaction, a version in the history of each product that changed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from catalog.judging import judge
from catalog.models import CatalogSync, Product, WhmcsProduct
from catalog.records import Draft, kept

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


@dataclass
class _Run:
    """What every write of one run has in common."""

    by: str
    now: datetime
    report: SyncReport = field(default_factory=SyncReport)

    def save(self, product: Product, changes: Mapping[str, Any]) -> None:
        """Writes these columns and a version of the product."""
        for column, value in changes.items():
            setattr(product, column, value)
        product._history_user = self.by  # type: ignore[attr-defined]  # simple-history's names
        product._history_date = self.now  # type: ignore[attr-defined]
        product.save(update_fields=list(changes) if product.pk else None)


def write(
    drafts: Sequence[Draft], *, gone: Collection[str] | None, by: CatalogSync.Kind, allow_empty: bool = False
) -> SyncReport:
    """Makes the mirror say what was read, inside the caller's transaction; may be repeated.

    `drafts` are the products that were read. `gone` are the Salesforce ids that are no longer on offer and everything
    else stays as it is; None means that `drafts` are the whole catalogue. Raises WouldEmpty.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    known = {product.sf_product_id: product for product in Product.objects.select_for_update()}
    read = {each.sf_product_id for each in drafts}
    leaving = set(known) - read if gone is None else set(known) & set(gone) - read
    staying = [
        kept(product) for key, product in known.items() if key not in read | leaving and product.withdrawn_at is None
    ]
    whole = [*drafts, *staying]
    judge(whole, {product.pid: product for product in WhmcsProduct.objects.all()})
    _refuse_to_empty(known.values(), whole, allow_empty=allow_empty)
    run = _Run(by.value, timezone.now())
    _withdraw([known[key] for key in sorted(leaving)], run)
    _free_moved_skus(known, whole, run.now)
    for each in whole:
        _keep(each, known.get(each.sf_product_id), run)
    Product.objects.filter(sf_product_id__in=read).update(synced_at=run.now)
    return run.report


def _withdraw(leaving: Iterable[Product], run: _Run) -> None:
    for product in leaving:
        if product.withdrawn_at is None:
            run.save(product, {"withdrawn_at": run.now, "synced_at": run.now})
            run.report.withdrawn.append(product.sku or product.sf_product_id)


def _free_moved_skus(known: Mapping[str, Product], drafts: Sequence[Draft], now: datetime) -> None:
    """A SKU may move to another product: who leaves one steps aside before anybody takes it (unique while on sale)."""
    moved = [product for each in drafts if (product := known.get(each.sf_product_id)) and product.sku != each.sku]
    Product.objects.filter(pk__in=[product.pk for product in moved]).update(withdrawn_at=now)
    for product in moved:
        product.withdrawn_at = now


def _keep(each: Draft, product: Product | None, run: _Run) -> None:
    name = each.sku or each.sf_product_id
    if each.broken:
        run.report.broken[name] = each.broken
    wanted = {**each.columns, "broken": each.broken, "faults": list(each.faults), "withdrawn_at": None}
    if product is None:
        run.save(Product(sf_product_id=each.sf_product_id, synced_at=run.now), wanted)
        run.report.added.append(name)
        return
    changed = {column: value for column, value in wanted.items() if getattr(product, column) != value}
    if not changed:
        run.report.unchanged += 1
        return
    run.save(product, changed)
    run.report.changed[name] = sorted(changed)


def _is_plan(columns: Mapping[str, Any]) -> bool:
    return bool(columns["accessible"]) and columns["item_class"] == Product.ItemClass.SERVICE


def _refuse_to_empty(known: Iterable[Product], drafts: Sequence[Draft], *, allow_empty: bool) -> None:
    """A shop with add-ons alone is empty too: nobody can buy one without a plan."""
    sold = any(product.withdrawn_at is None and not product.broken and _is_plan(vars(product)) for product in known)
    will_be = any(not each.broken and _is_plan(each.columns) for each in drafts)
    if sold and not will_be and not allow_empty:
        raise WouldEmpty(
            f"Of {len(drafts)} products none is a plan that could be sold; the catalogue was left as it is."
        )
