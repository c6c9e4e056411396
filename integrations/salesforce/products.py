"""The catalogue as Salesforce has it (product.md §4, decisions.md 9)."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from integrations.errors import Misconfigured
from integrations.salesforce import fields as f
from integrations.salesforce.connection import Connection
from integrations.salesforce.reading import Row
from integrations.salesforce.schemas import CatalogueChanges, ProductRecord
from integrations.salesforce.soql import Value, children, select

T = TypeVar("T")

CURRENCY_FIELD = "CurrencyIsoCode"  # exists only where an org has several currencies
ENTRIES = "Pricebook2.Name = {} AND IsActive = true"
IN_YEN = f"{ENTRIES} AND {CURRENCY_FIELD} = {{}}"
OFFERED = f"IsActive = true AND {f.IN_CATALOGUE} = true"
STAMP = "SystemModstamp"
MOST_IDS = 300  # in one query, whose address Salesforce limits to 16,384 characters


class CatalogueCalls(Connection):
    """What is for sale."""

    def catalogue(self, pricebook_name: str) -> list[ProductRecord]:
        """All products of the portal's catalogue with their JPY entry in this pricebook, in one query. Repeatable.

        An org with one currency has no currency field; then all prices count as its currency, which `preflight` checks.
        """
        return self._in_yen(pricebook_name, lambda prices: [_product(row) for row in self._products(prices, OFFERED)])

    def catalogue_changes(self, pricebook_name: str, *, since: datetime) -> CatalogueChanges | None:
        """Products that were saved since then, or whose entry in this pricebook was, in two queries. Repeatable.

        What was deleted is not among them. None when more changed than one query can name: read the whole catalogue.
        """
        entries = self._query(
            "catalogue_changes",
            select(
                ("Id", "Product2Id", STAMP),
                "PricebookEntry",
                f"Pricebook2.Name = {{}} AND {STAMP} >= {{}}",
                pricebook_name,
                since,
            ),
            "PricebookEntry",
        )
        priced = sorted({row.text("Product2Id") for row in entries})
        if len(priced) > MOST_IDS:
            return None
        where, values = f"{STAMP} >= {{}}", [since]
        rows = self._in_yen(
            pricebook_name,
            lambda prices: self._products(
                prices, f"{where} OR Id IN {{}}" if priced else where, *values, *([priced] if priced else [])
            ),
        )
        return _changes(rows, [row.moment(STAMP) for row in entries])

    def _in_yen(self, pricebook_name: str, read: Callable[[str], T]) -> T:
        """`read` is given the subquery of the prices, which depends on whether the org has several currencies."""
        try:
            return read(_prices(IN_YEN, pricebook_name, f.YEN))
        except Misconfigured as error:
            if error.code != "invalid_field" or CURRENCY_FIELD not in error.text:
                raise
        return read(_prices(ENTRIES, pricebook_name))

    def _products(self, prices: str, where: str, *values: Value) -> list[Row]:
        soql = select(("Id", *f.PRODUCT_FIELDS, f.IN_CATALOGUE, STAMP, prices), "Product2", where, *values, order="Id")
        return self._query("catalogue", soql, "Product2")


def _prices(where: str, *values: str) -> str:
    return children(("Id", "UnitPrice", STAMP), "PricebookEntries", where, *values)


def _changes(rows: Sequence[Row], entries: Sequence[datetime]) -> CatalogueChanges:
    offered = [row for row in rows if row.value("IsActive") and row.value(f.IN_CATALOGUE)]
    return CatalogueChanges(
        offered=[_product(row) for row in offered],
        gone=frozenset(row.id for row in rows) - {row.id for row in offered},
        until=max((*entries, *(row.moment(STAMP) for row in rows)), default=None),
    )


def _product(row: Row) -> ProductRecord:
    entry = next(iter(row.children("PricebookEntries", "PricebookEntry")), None)
    return ProductRecord(
        id=row.id,
        fields={name: row.value(name) for name in f.PRODUCT_FIELDS},
        pricebook_entry_id=entry.id if entry else "",
        unit_price=entry.value("UnitPrice") if entry else None,
        changed_at=max(each.moment(STAMP) for each in (row, entry) if each),
    )
