"""The items of an Order with their products, as whoever reads an Order reads them."""

import json

from integrations.salesforce import fields as f
from integrations.salesforce.reading import Row
from integrations.salesforce.schemas import ProvisionableItem
from integrations.salesforce.soql import children

ITEM = (
    "Id",
    "Quantity",
    "UnitPrice",
    f.BILLING_CYCLE,
    f.CHOSEN_OPTIONS,
    f.WHMCS_SERVICE,
    "Product2.StockKeepingUnit",
    "Product2.Name",
    f"Product2.{f.ITEM_CLASS}",
    f"Product2.{f.CATEGORY}",
    f"Product2.{f.BILLING_CYCLE}",
    f"Product2.{f.WHMCS_PRODUCT}",
    f"Product2.{f.ATTRIBUTES}",
)
ITEMS = children(ITEM, "OrderItems", order="Id")


def items_of(order: Row) -> tuple[ProvisionableItem, ...]:
    """The items of an Order that was read with ITEMS. Rejected `bad_field` for a value that cannot be used."""
    return tuple(_item(item) for item in order.children("OrderItems", "OrderItem"))


def _item(row: Row) -> ProvisionableItem:
    """The item's own billing cycle is what was agreed; an item made by hand may leave it to its product."""
    return ProvisionableItem(
        id=row.id,
        sku=row.text("Product2.StockKeepingUnit"),
        name=row.text("Product2.Name"),
        item_class=row.text(f"Product2.{f.ITEM_CLASS}"),
        category=row.text(f"Product2.{f.CATEGORY}"),
        billing_cycle=row.text(f.BILLING_CYCLE) or row.text(f"Product2.{f.BILLING_CYCLE}"),
        quantity=row.integer("Quantity"),
        unit_price=row.integer("UnitPrice"),
        whmcs_product_id=row.text(f"Product2.{f.WHMCS_PRODUCT}"),
        options=row.options(f.CHOSEN_OPTIONS),
        whmcs_service_id=row.text(f.WHMCS_SERVICE),
        esim_plan=_esim_plan(row.text(f"Product2.{f.ATTRIBUTES}")),
    )


def _esim_plan(attributes: str) -> str:
    """The key `esim_plan` of a product's attributes. Attributes nobody can read break eSIMs only, not every order."""
    try:
        found = json.loads(attributes or "{}")
    except (ValueError, RecursionError):
        return ""
    plan = found.get("esim_plan") if isinstance(found, dict) else None
    return plan if isinstance(plan, str) else ""
