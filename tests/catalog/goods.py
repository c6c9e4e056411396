"""The believable provider's catalogue as Salesforce would answer it, and as the mirror holds it."""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalog.models import Product
from catalog.sync import sync
from integrations import gateway
from integrations.salesforce.schemas import CatalogueChanges, ProductRecord
from sandbox import catalogue

PID = {each.sku: each.whmcs_pid for each in catalogue.load().products}
OPENED = datetime(2026, 11, 1, tzinfo=UTC)  # when the shop's products were saved


def record(source: catalogue.CatalogueProduct, n: int) -> ProductRecord:
    """One product of the shop as the Salesforce client gives it."""
    return ProductRecord(
        id=f"01tTEST{n:08d}AAA",
        pricebook_entry_id=f"01uTEST{n:08d}AAA",
        unit_price=Decimal(source.price),
        changed_at=OPENED,
        fields={
            "StockKeepingUnit": source.sku,
            "Name": source.name.en,
            "Portal_Name_JA__c": source.name.ja,
            "Description": source.description.en,
            "Portal_Description_JA__c": source.description.ja,
            "Product2Categories1__c": source.category,
            "Item_Class__c": source.item_class,
            "Billing_Cycle__c": source.cycle,
            "WHMCS_Product_Id__c": str(source.whmcs_pid),
            "Portal_ConfigOptions_JSON__c": json.dumps([option.raw for option in source.options]) or None,
            "Portal_Attributes_JSON__c": json.dumps(source.attributes),
            "Portal_Eligibility_Values__c": "\n".join(source.eligibility),
            "Portal_Activation_SKU__c": source.activation_sku or None,
            "Portal_Identity__c": source.identity,
            "Portal_Display_Order__c": float(source.display_order),
            "Portal_Accessible__c": True,
        },
    )


def records() -> list[ProductRecord]:
    """The whole shop."""
    return [record(source, n) for n, source in enumerate(catalogue.load().products, 1)]


def changed(of: ProductRecord, *, price: Any = None, **fields: Any) -> ProductRecord:
    """The same product with other values."""
    return replace(of, fields={**of.fields, **fields}, unit_price=of.unit_price if price is None else price)


@dataclass
class Shop:
    """The catalogue's side of Salesforce; a test changes `records` and syncs again.

    Each change happens ten minutes after the one before, by the org's own clock.
    """

    records: list[ProductRecord] = field(default_factory=records)
    error: Exception | None = None
    reads: list[str] = field(default_factory=list)
    clock: datetime = OPENED
    dropped: dict[str, datetime] = field(default_factory=dict)

    def catalogue(self, pricebook_name: str) -> list[ProductRecord]:
        self.reads.append("whole")
        if self.error:
            raise self.error
        return self.records

    def catalogue_changes(self, pricebook_name: str, *, since: datetime) -> CatalogueChanges | None:
        self.reads.append("changes")
        if self.error:
            raise self.error
        newer = [each for each in self.records if each.changed_at and each.changed_at >= since]
        gone = {key: at for key, at in self.dropped.items() if at >= since}
        stamps = [each.changed_at for each in newer if each.changed_at]
        return CatalogueChanges(newer, frozenset(gone), max([*stamps, *gone.values()], default=None))

    def edit(self, sku: str, *, price: Any = None, **fields: Any) -> None:
        at = self._later()
        self.records = [
            replace(changed(each, price=price, **fields), changed_at=at) if named(each, sku) else each
            for each in self.records
        ]

    def drop(self, *skus: str) -> None:
        """Takes them out of the catalogue; Salesforce tells that as a change of each."""
        at = self._later()
        self.dropped |= {each.id: at for each in self.records if named(each, *skus)}
        self.delete(*skus)

    def delete(self, *skus: str) -> None:
        """Nothing is left of them that could be told as a change."""
        self.records = [each for each in self.records if not named(each, *skus)]

    def _later(self) -> datetime:
        self.clock += timedelta(minutes=10)
        return self.clock


def named(record: ProductRecord, *skus: str) -> bool:
    """Whether the record has one of these SKUs."""
    return record.fields["StockKeepingUnit"] in skus


@pytest.fixture
def shop(db: None, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The mirror filled from the shop; `sync()` in the test reads the shop again."""
    double = Shop()
    monkeypatch.setattr(gateway, "salesforce", lambda: double)
    sync()
    return double


def products() -> dict[str, Product]:
    return {product.sku: product for product in Product.objects.all()}
