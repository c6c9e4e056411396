"""Addresses at which staff see a record in the other systems; empty where a system has no address or a record no id."""

from django.conf import settings


def in_salesforce(kind: str, record_id: str | None) -> str:
    """A record of the object `kind` (its API name), by its id."""
    base = settings.SF_LIGHTNING_URL
    return f"{base}/lightning/r/{kind}/{record_id}/view" if base and record_id else ""


def whmcs_order(order_id: int | str | None) -> str:
    """An order in WHMCS' admin area."""
    base = settings.WHMCS_ADMIN_URL
    return f"{base}/orders.php?action=view&id={order_id}" if base and order_id else ""


def whmcs_client(client_id: int | str | None) -> str:
    """A client's summary in WHMCS' admin area."""
    base = settings.WHMCS_ADMIN_URL
    return f"{base}/clientssummary.php?userid={client_id}" if base and client_id else ""
