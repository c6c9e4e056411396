"""From a Product2 row to the columns of our mirror, with every reason why it cannot be sold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog import reading
from catalog.models import Product
from catalog.options import REGION
from catalog.search import search_text
from integrations.salesforce.schemas import ProductRecord

Reader = Callable[[Any], Any]


@dataclass
class Draft:
    """The columns of one Product and what is wrong with it (nothing: it may be sold).

    `faults` are those that the record shows by itself; the others come from judging it beside the rest.
    """

    sf_product_id: str
    columns: dict[str, Any]
    faults: tuple[str, ...] = ()
    others: list[str] = field(default_factory=list)

    @property
    def sku(self) -> str:
        return str(self.columns["sku"])

    @property
    def broken(self) -> list[str]:
        """Every reason why it is hidden, its own first."""
        return [*self.faults, *self.others]


def draft(record: ProductRecord) -> Draft:
    """Reads one record; never raises for what stands in it: the reasons are in `faults`."""
    columns: dict[str, Any] = {"sf_pricebook_entry_id": record.pricebook_entry_id}
    faults = []
    values = {**record.fields, "price": record.unit_price}
    for column, (name, read, fallback) in FIELDS.items():
        try:
            columns[column] = read(values.get(name))
        except (ValueError, TypeError) as error:
            faults.append(f"{name}: {error}")
            columns[column] = fallback
    if _leads_nowhere(columns):
        faults.append(
            f"Portal_Attributes_JSON__c: a VPN plan names its country, as {REGION} or as an option of that key"
        )
    columns["search_text"] = search_text(columns)
    return Draft(record.id, columns, tuple(faults))


def _leads_nowhere(columns: Mapping[str, Any]) -> bool:
    """A VPN plan for no country could be shown and never ordered (catalog.pricing)."""
    if (columns["category"], columns["item_class"]) != (Product.Category.VPN, Product.ItemClass.SERVICE):
        return False
    return not columns["attributes"].get(REGION) and REGION not in {option["key"] for option in columns["options"]}


def kept(product: Product) -> Draft:
    """What the mirror holds of a product that was not read again."""
    return Draft(product.sf_product_id, {column: getattr(product, column) for column in COLUMNS}, tuple(product.faults))


FIELDS: Mapping[str, tuple[str, Reader, Any]] = {
    "sku": ("StockKeepingUnit", reading.sku(180), ""),
    "name_en": ("Name", reading.needed(), ""),
    "name_ja": ("Portal_Name_JA__c", reading.short(), ""),
    "description_en": ("Description", reading.text, ""),
    "description_ja": ("Portal_Description_JA__c", reading.text, ""),
    "category": ("Product2Categories1__c", reading.one_of(Product.Category.values), ""),
    "item_class": ("Item_Class__c", reading.one_of(Product.ItemClass.values), ""),
    "billing_cycle": ("Billing_Cycle__c", reading.one_of(Product.BillingCycle.values), ""),
    "whmcs_product_id": ("WHMCS_Product_Id__c", reading.whmcs_id, None),
    "options": ("Portal_ConfigOptions_JSON__c", reading.options, []),
    "attributes": ("Portal_Attributes_JSON__c", reading.attributes, {}),
    "eligibility_values": ("Portal_Eligibility_Values__c", reading.lines, []),
    "activation_sku": ("Portal_Activation_SKU__c", reading.short(180), ""),
    "identity": ("Portal_Identity__c", reading.one_of(Product.Identity.values, empty="None"), "None"),
    "display_order": ("Portal_Display_Order__c", reading.whole, 0),
    "accessible": ("Portal_Accessible__c", bool, False),
    "price": ("price", reading.yen, None),
}
COLUMNS = (*FIELDS, "sf_pricebook_entry_id", "search_text")
