"""Price book entries: how they come to be, and which of them an order or an opportunity may use."""

from decimal import ROUND_HALF_UP, Decimal

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.saving import Saving
from sandbox.store import Record

_CENT = Decimal("0.01")


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


def check_fit(parent: Record, entry: Record, kind: str) -> None:
    """Whether a line of the parent, an order or an opportunity as `kind` says, may have this price. Raises ApiError."""
    if entry["Pricebook2Id"] != parent["Pricebook2Id"]:
        raise integrity(
            "PricebookEntryId", f"pricebook entry is in a different pricebook than the one assigned to the {kind}"
        )
    if entry["CurrencyIsoCode"] != parent["CurrencyIsoCode"]:
        raise integrity("PricebookEntryId", f"pricebook entry currency code does not match {kind} currency code")
    if not entry["IsActive"]:
        raise integrity("PricebookEntryId", "pricebook entry is inactive")


def check_quantity(line: Record) -> None:
    """Something has to be sold. Raises ApiError."""
    quantity = line.get("Quantity")
    if quantity is not None and quantity <= 0:
        message = f"Quantity: value outside of valid range on numeric field: {quantity}"
        raise ApiError("NUMBER_OUTSIDE_VALID_RANGE", message, ["Quantity"])


def total(line: Record) -> float:
    """Quantity times price."""
    return rounded(exact(line.get("Quantity")) * exact(line.get("UnitPrice")))


def exact(value: float | None) -> Decimal:
    """The decimal number that a stored one stands for; null counts as nothing."""
    return Decimal(str(value or 0))


def rounded(amount: Decimal) -> float:
    """An amount as a currency field of two decimals keeps it."""
    return float(amount.quantize(_CENT, ROUND_HALF_UP))


def integrity(field: str, why: str) -> ApiError:
    """A value that is fine by itself but not beside the others."""
    return ApiError("FIELD_INTEGRITY_EXCEPTION", f"field integrity exception: {field} ({why})", [field])
