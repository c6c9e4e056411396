"""From a Product2 row to the columns of our mirror, with every reason why it cannot be sold."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from catalog.models import Product
from catalog.options import BrokenOptions, parse
from integrations.salesforce.schemas import ProductRecord

LARGEST_ID = 2**31 - 1


@dataclass
class Draft:
    """The columns of one Product, and why it is hidden from customers (empty: it may be sold)."""

    sf_product_id: str
    sku: str
    columns: dict[str, Any]
    broken: list[str] = field(default_factory=list)


class _Reader:
    """Reads one field after the other; what is wrong becomes a reason, and a harmless value takes its place."""

    def __init__(self, record: ProductRecord) -> None:
        self.record, self.broken = record, list[str]()

    def value(self, name: str, read: Callable[[Any], Any], fallback: Any) -> Any:
        try:
            return read(self.record.fields.get(name))
        except (ValueError, TypeError) as error:
            self.broken.append(f"{name}: {error}")
            return fallback


def draft(record: ProductRecord) -> Draft:
    """Reads one record; never raises for what stands in it: the reasons are in `broken`."""
    reader = _Reader(record)
    columns = {column: reader.value(name, read, fallback) for column, (name, read, fallback) in FIELDS.items()}
    columns["sf_pricebook_entry_id"] = record.pricebook_entry_id
    try:
        columns["price"] = _yen(record.unit_price)
    except ValueError as error:
        reader.broken.append(f"price: {error}")
        columns["price"] = None
    return Draft(record.id, columns["sku"], columns, reader.broken)


def _yen(value: Any) -> int:
    if value is None:
        raise ValueError("no active JPY entry in the pricebook")
    amount = Decimal(str(value))
    if amount < 0 or amount != amount.to_integral_value():
        raise ValueError(f"{amount} is not a whole number of yen")
    return int(amount)


def _text(value: Any) -> str:
    return str(value or "").strip()


def _needed(value: Any) -> str:
    if not _text(value):
        raise ValueError("is empty")
    return _text(value)


def _one_of(allowed: list[str], *, empty: str | None = None) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if empty is not None and not _text(value):
            return empty
        if _text(value) not in allowed:
            raise ValueError(f"{_text(value) or 'empty'} is not one of {', '.join(allowed)}")
        return _text(value)

    return read


def _remote_id(value: Any) -> int:
    text = _text(value)
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= LARGEST_ID):
        raise ValueError(f"{text or 'empty'} is not a WHMCS product id")
    return int(text)


def _json(value: Any) -> Any:
    try:
        return json.loads(_text(value))
    except ValueError as error:
        raise ValueError(f"is not JSON ({error})") from error


def _options(value: Any) -> list[Any]:
    if not _text(value):
        return []
    raw = _json(value)
    try:
        parse(raw)
    except BrokenOptions as error:
        raise ValueError(str(error)) from error
    return list(raw)


def _attributes(value: Any) -> dict[str, Any]:
    found = _json(value) if _text(value) else {}
    if not isinstance(found, dict):
        raise ValueError("is not a JSON object")
    return found


def _lines(value: Any) -> list[str]:
    return [line.strip() for line in _text(value).splitlines() if line.strip()]


def _whole(value: Any) -> int:
    return int(Decimal(str(value or 0)))


FIELDS: Mapping[str, tuple[str, Callable[[Any], Any], Any]] = {
    "sku": ("StockKeepingUnit", _needed, ""),
    "name_en": ("Name", _needed, ""),
    "name_ja": ("Portal_Name_JA__c", _text, ""),
    "description_en": ("Description", _text, ""),
    "description_ja": ("Portal_Description_JA__c", _text, ""),
    "category": ("Product2Categories1__c", _one_of(Product.Category.values), ""),
    "item_class": ("Item_Class__c", _one_of(Product.ItemClass.values), ""),
    "billing_cycle": ("Billing_Cycle__c", _one_of(Product.BillingCycle.values), ""),
    "whmcs_product_id": ("WHMCS_Product_Id__c", _remote_id, None),
    "options": ("Portal_ConfigOptions_JSON__c", _options, []),
    "attributes": ("Portal_Attributes_JSON__c", _attributes, {}),
    "eligibility_values": ("Portal_Eligibility_Values__c", _lines, []),
    "activation_sku": ("Portal_Activation_SKU__c", _text, ""),
    "identity": ("Portal_Identity__c", _one_of(Product.Identity.values, empty="None"), "None"),
    "display_order": ("Portal_Display_Order__c", _whole, 0),
    "accessible": ("Portal_Accessible__c", bool, False),
}
