"""The catalogue as Salesforce has it (product.md §4, decisions.md 9)."""

from integrations.errors import Misconfigured
from integrations.salesforce import fields as f
from integrations.salesforce.connection import Connection
from integrations.salesforce.reading import Row
from integrations.salesforce.schemas import ProductRecord
from integrations.salesforce.soql import children, select

CURRENCY_FIELD = "CurrencyIsoCode"  # exists only where an org has several currencies
ENTRIES = "Pricebook2.Name = {} AND IsActive = true"
IN_YEN = f"{ENTRIES} AND {CURRENCY_FIELD} = {{}}"


class CatalogueCalls(Connection):
    """What is for sale."""

    def catalogue(self, pricebook_name: str) -> list[ProductRecord]:
        """All products of the portal's catalogue with their JPY entry in this pricebook, in one query. Repeatable.

        An org with one currency has no currency field; then all prices count as its currency, which `preflight` checks.
        """
        try:
            return self._products(IN_YEN, pricebook_name, f.YEN)
        except Misconfigured as error:
            if error.code != "invalid_field" or CURRENCY_FIELD not in error.text:
                raise
        return self._products(ENTRIES, pricebook_name)

    def _products(self, entries: str, *values: str) -> list[ProductRecord]:
        prices = children(("Id", "UnitPrice"), "PricebookEntries", entries, *values)
        offered = f"IsActive = true AND {f.IN_CATALOGUE} = true"
        soql = select(("Id", *f.PRODUCT_FIELDS, prices), "Product2", offered, order="Id")
        return [_product(row) for row in self._query("catalogue", soql, "Product2")]


def _product(row: Row) -> ProductRecord:
    entry = next(iter(row.children("PricebookEntries", "PricebookEntry")), None)
    return ProductRecord(
        id=row.id,
        fields={name: row.value(name) for name in f.PRODUCT_FIELDS},
        pricebook_entry_id=entry.id if entry else "",
        unit_price=entry.value("UnitPrice") if entry else None,
    )
