"""An Order as the portal mirrors it, with its items (decisions.md 14)."""

from integrations.errors import Rejected
from integrations.salesforce import fields as f
from integrations.salesforce.items import ITEMS, items_of
from integrations.salesforce.reading import Row
from integrations.salesforce.schemas import OrderChange, ProvisionableItem

CHANGE = (
    "Id",
    f.PORTAL_REF,
    "OrderNumber",
    "AccountId",
    "OpportunityId",
    "Status",
    f.ACTIVATION_STATUS,
    f.ACTIVATION_ERROR,
    f.WHMCS_ORDER,
    f.CORRELATION_ID,
    "CreatedDate",
    "SystemModstamp",
    ITEMS,
)


def change_of(row: Row) -> OrderChange:
    """An Order that was read with CHANGE."""
    return OrderChange(
        id=row.id,
        portal_ref=row.text(f.PORTAL_REF),
        number=row.text("OrderNumber"),
        account_id=row.text("AccountId"),
        opportunity_id=row.text("OpportunityId"),
        status=row.text("Status"),
        activation_status=row.text(f.ACTIVATION_STATUS),
        activation_error=row.text(f.ACTIVATION_ERROR),
        whmcs_order_id=row.maybe_integer(f.WHMCS_ORDER),
        modstamp=row.moment("SystemModstamp"),
        created=row.moment("CreatedDate"),
        correlation_id=row.text(f.CORRELATION_ID),
        items=_usable_items(row),
    )


def _usable_items(row: Row) -> tuple[ProvisionableItem, ...] | None:
    """One Order that somebody filled in oddly must not keep the changes of all others from being read."""
    try:
        return items_of(row)
    except Rejected:
        return None
