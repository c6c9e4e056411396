"""What WHMCS has of the products we sell: their mark fields, and where its prices differ (decisions.md 10, 21)."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.db.models import Case, DecimalField, F, OuterRef, Q, QuerySet, Subquery, When
from django.utils import timezone

from catalog import mirror
from catalog.models import CatalogSync, Product, WhmcsProduct
from integrations import gateway
from integrations.whmcs.schemas import CatalogueProduct
from journal.commits import commit


def read() -> dict[str, int]:
    """Reads WHMCS' products in one call, keeps them, and judges our catalogue by them; returns counts. Repeatable.

    Raises an OutsideError of the read, or WouldEmpty when nothing could be sold by what WHMCS answered; either leaves
    everything as it was. Must not be called inside a transaction.
    """
    started, products = timezone.now(), gateway.whmcs().catalogue()
    with commit("catalog.billing"):
        _keep(products)
        report = mirror.write([], gone=(), by=CatalogSync.Kind.BILLING)
        if report.changes_something:
            CatalogSync.objects.create(
                kind=CatalogSync.Kind.BILLING,
                started_at=started,
                finished_at=timezone.now(),
                ok=True,
                changed=True,
                report=asdict(report),
            )
    return {"changed": len(report.changed)}


def _keep(products: Sequence[CatalogueProduct]) -> None:
    now = timezone.now()
    if not products:
        raise mirror.WouldEmpty("WHMCS answered with no product at all; what was known of them stays.")
    WhmcsProduct.objects.bulk_create(
        [
            WhmcsProduct(
                pid=product.pid,
                name=product.name[:255],
                mark_field_id=product.custom_fields.get(settings.WHMCS_MARK_FIELD_NAME),
                monthly=product.monthly,
                annually=product.annually,
                seen_at=now,
            )
            for product in products
        ],
        update_conflicts=True,
        unique_fields=["pid"],
        update_fields=["name", "mark_field_id", "monthly", "annually", "seen_at"],
    )
    WhmcsProduct.objects.filter(seen_at__lt=now).delete()


def with_billing(products: "QuerySet[Product]") -> "QuerySet[Any]":
    """Products with `billed_pid` (None: WHMCS was not read, or has none) and `billed`, WHMCS' price in their cycle.

    `billed` is None where WHMCS does not offer that cycle.
    """
    theirs = WhmcsProduct.objects.filter(pid=OuterRef("whmcs_product_id"))
    yearly = Subquery(theirs.values("annually")[:1])
    otherwise = Subquery(theirs.values("monthly")[:1])  # WHMCS keeps a one-time price there
    price = Case(
        When(billing_cycle=Product.BillingCycle.ANNUALLY, then=yearly),
        default=otherwise,
        output_field=DecimalField(max_digits=16, decimal_places=2),
    )
    return products.annotate(billed_pid=Subquery(theirs.values("pid")[:1]), billed=price)


def priced_differently(products: "QuerySet[Product]") -> "QuerySet[Product]":
    """Those on offer that WHMCS sells for another price, or not in their cycle."""
    known = with_billing(products).filter(withdrawn_at=None, price__isnull=False, billed_pid__isnull=False)
    differing: QuerySet[Product] = known.filter(Q(billed__isnull=True) | ~Q(billed=F("price")))
    return differing
