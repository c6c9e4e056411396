"""The platform's rules for orders, their items and prices (salesforce-wire.md, section 3.7; decisions.md 34)."""

from decimal import Decimal
from typing import Any

from sandbox.salesforce import moments, prices
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
    contract = order.org.get("Contract", record.get("ContractId") or "")
    if contract is not None and contract["AccountId"] != record.get("AccountId"):
        raise prices.integrity("ContractId", "the contract is not one of the order's account")
    start, end = record.get("EffectiveDate"), record.get("EndDate")
    if start and end and end < start:
        raise prices.integrity("EndDate", "the order ends before it starts")
    if order.creating:
        _check_new(record)
        return
    _check_frozen(order)
    if order.changed("StatusCode"):
        _change_category(order)


def _check_new(record: dict[str, Any]) -> None:
    if record["StatusCode"] == ACTIVATED:
        message = "Choose a valid order status and save your changes. Ask your admin for details."
        raise prices.integrity("Status", message)


def _check_frozen(order: Saving) -> None:
    for field, name in (("Pricebook2Id", "price book"), ("CurrencyIsoCode", "currency")):
        if order.changed(field) and _has_items(order):
            raise prices.integrity(field, f"the {name} cannot be changed while the order has products")
    if order.changed("AccountId") and order.before["StatusCode"] == ACTIVATED:
        raise prices.integrity("AccountId", "the account of an activated order cannot be changed")


def _change_category(order: Saving) -> None:
    activating = order.record["StatusCode"] == ACTIVATED
    if activating and not _has_items(order):
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
        if order["Pricebook2Id"] is None:
            raise prices.integrity("Pricebook2Id", "an order needs a price book before products can be added")
        prices.check_fit(order, entry, "order")
        record |= {"Product2Id": entry["Product2Id"], "ListPrice": entry["UnitPrice"]}
        record["CurrencyIsoCode"] = order["CurrencyIsoCode"]
    if order["StatusCode"] == ACTIVATED and (item.creating or any(item.changed(name) for name in _TERMS)):
        raise _locked()
    prices.check_quantity(record)
    record |= {"TotalPrice": prices.total(record), "AvailableQuantity": record.get("Quantity")}


def roll_up(item: Saving) -> None:
    """Bring the order's TotalAmount up to date."""
    items = item.org.find("OrderItem", "OrderId", item.record["OrderId"])
    if item.org.get("Order", item.record["OrderId"]) is not None:
        total = sum((prices.exact(each["TotalPrice"]) for each in items), Decimal())
        item.org.derive("Order", item.record["OrderId"], {"TotalAmount": prices.rounded(total)})


def refuse_deletion(order: Saving) -> None:
    """An activated order stays."""
    if order.before["StatusCode"] == ACTIVATED:
        raise _locked()


def refuse_removal(item: Saving) -> None:
    """Items of an activated order stay."""
    order = item.org.get("Order", item.before["OrderId"])
    if order is not None and order["StatusCode"] == ACTIVATED:
        raise _locked()


def _has_items(order: Saving) -> bool:
    return order.org.table("OrderItem").count("OrderId", order.record["Id"]) > 0


def _locked() -> ApiError:
    return ApiError("ENTITY_IS_LOCKED", "Unable to modify activated or superseded Order", [])
