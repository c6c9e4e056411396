"""The platform's rules for orders, their items and prices (salesforce-wire.md, section 3.7; decisions.md 34)."""

from decimal import Decimal
from typing import Any

from sandbox.salesforce import moments
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.saving import Saving

DRAFT = "Draft"
ACTIVATED = "Activated"
# Of an activated order's item these stay as they were agreed.
_TERMS = ("Quantity", "UnitPrice")


def category(status: str | None) -> str:
    """The StatusCode of a Status: only Activated itself counts as activated."""
    return ACTIVATED if status == ACTIVATED else DRAFT


def check_order(order: Saving) -> None:
    """Derive the category, and hold an order to what its category allows."""
    record = order.record
    record["StatusCode"] = category(record.get("Status"))
    if order.creating:
        _check_new(record)
        return
    _check_frozen(order)
    if order.changed("StatusCode"):
        _change_category(order)


def _check_new(record: dict[str, Any]) -> None:
    if record["StatusCode"] == ACTIVATED:
        message = "Choose a valid order status and save your changes. Ask your admin for details."
        raise _integrity("Status", message)


def _check_frozen(order: Saving) -> None:
    if order.changed("Pricebook2Id") and order.org.find("OrderItem", "OrderId", order.record["Id"]):
        raise _integrity("Pricebook2Id", "the price book cannot be changed while the order has products")
    if order.changed("AccountId") and order.before["StatusCode"] == ACTIVATED:
        raise _integrity("AccountId", "the account of an activated order cannot be changed")


def _change_category(order: Saving) -> None:
    activating = order.record["StatusCode"] == ACTIVATED
    if activating and not order.org.find("OrderItem", "OrderId", order.record["Id"]):
        raise ApiError("FAILED_ACTIVATION", "An order must have at least one product.", ["Status"])
    order.record["ActivatedDate"] = moments.write(order.org.clock.now()) if activating else None
    order.record["ActivatedById"] = order.user_id if activating else None


def check_item(item: Saving) -> None:
    """Fit an item to its order and price book entry, and derive what follows from them."""
    record = item.record
    order = item.org.get("Order", record.get("OrderId") or "")
    entry = item.org.get("PricebookEntry", record.get("PricebookEntryId") or "")
    if order is None or entry is None:
        return  # the check of required fields and references says it
    if item.creating:
        _check_entry_fits(order["Pricebook2Id"], order["CurrencyIsoCode"], entry)
        record |= {"Product2Id": entry["Product2Id"], "ListPrice": entry["UnitPrice"]}
        record["CurrencyIsoCode"] = order["CurrencyIsoCode"]
    if order["StatusCode"] == ACTIVATED and (item.creating or any(item.changed(name) for name in _TERMS)):
        raise _locked()
    record["TotalPrice"] = _product(record.get("Quantity"), record.get("UnitPrice"))


def _check_entry_fits(pricebook_id: str | None, currency: str, entry: Any) -> None:
    if pricebook_id is None:
        raise _integrity("Pricebook2Id", "an order needs a price book before products can be added")
    if entry["Pricebook2Id"] != pricebook_id:
        raise _integrity("PricebookEntryId", "pricebook entry is in a different pricebook than the one of the order")
    if entry["CurrencyIsoCode"] != currency:
        raise _integrity("PricebookEntryId", "pricebook entry currency does not match the currency of the order")
    if not entry["IsActive"]:
        raise _integrity("PricebookEntryId", "pricebook entry is inactive")


def roll_up(item: Saving) -> None:
    """Bring the order's TotalAmount up to date."""
    items = item.org.find("OrderItem", "OrderId", item.record["OrderId"])
    if item.org.get("Order", item.record["OrderId"]) is not None:
        total = sum((Decimal(str(each["TotalPrice"])) for each in items), Decimal())
        item.org.derive("Order", item.record["OrderId"], {"TotalAmount": float(total)})


def refuse_deletion(order: Saving) -> None:
    """An activated order stays."""
    if order.before["StatusCode"] == ACTIVATED:
        raise _locked()


def refuse_removal(item: Saving) -> None:
    """Items of an activated order stay."""
    order = item.org.get("Order", item.before["OrderId"])
    if order is not None and order["StatusCode"] == ACTIVATED:
        raise _locked()


def check_entry(entry: Saving) -> None:
    """One price per product, price book and currency, the standard one first; the name is the product's."""
    record, org = entry.record, entry.org
    product = org.get("Product2", record.get("Product2Id") or "")
    pricebook = org.get("Pricebook2", record.get("Pricebook2Id") or "")
    if product is None or pricebook is None:
        return  # the check of required fields and references says it
    record |= {"Name": product["Name"], "ProductCode": product["ProductCode"]}
    siblings = [
        each
        for each in org.find("PricebookEntry", "Product2Id", product["Id"])
        if each["CurrencyIsoCode"] == record["CurrencyIsoCode"] and each["Id"] != record["Id"]
    ]
    for each in siblings:
        if each["Pricebook2Id"] == pricebook["Id"]:
            message = f"This price definition already exists in this price book: {each['Id'][:15]}"
            raise ApiError("DUPLICATE_VALUE", message, [])
    standard = [each for each in siblings if (org.get("Pricebook2", each["Pricebook2Id"]) or {}).get("IsStandard")]
    if entry.creating and not pricebook["IsStandard"] and not standard:
        raise ApiError("STANDARD_PRICE_NOT_DEFINED", "No standard price defined for this product", [])


def _product(quantity: float | None, price: float | None) -> float:
    return float(Decimal(str(quantity or 0)) * Decimal(str(price or 0)))


def _integrity(field: str, why: str) -> ApiError:
    return ApiError("FIELD_INTEGRITY_EXCEPTION", f"field integrity exception: {field} ({why})", [field])


def _locked() -> ApiError:
    return ApiError("ENTITY_IS_LOCKED", "Unable to modify activated or superseded Order", [])
