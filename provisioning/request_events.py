"""What an OrderProvisionRequested__e event says, checked (salesforce-wire.md §1.7: nothing of it is guaranteed)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.correlation import ACCEPTED
from integrations.salesforce.ids import ORDER, sf_id

VERSION = 1
LONGEST_TEXT = 80
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Unreadable(Exception):
    """The event cannot be understood; the text names the field, and holds nothing of its value."""


@dataclass(frozen=True)
class ProvisionRequest:
    """A request to provision one Order. `idem_key` is empty when the event has none."""

    order_id: str  # 18 characters
    idem_key: str
    correlation_id: str
    requested_by: str


def read(fields: Mapping[str, Any]) -> ProvisionRequest:
    """The request in an event's fields. Raises Unreadable. Fields it does not know are no concern of it."""
    _check_version(fields.get("Version__c"))
    return ProvisionRequest(
        order_id=_order_id(fields.get("OrderId__c")),
        idem_key=_idem_key(fields.get("IdemKey__c")),
        correlation_id=_correlation_id(fields.get("CorrelationId__c")),
        requested_by=_if_short(fields.get("RequestedBy__c")),
    )


def published_at(fields: Mapping[str, Any]) -> datetime | None:
    """The event's CreatedDate, which counts milliseconds; None when it is not a moment."""
    milliseconds = fields.get("CreatedDate")
    if not isinstance(milliseconds, int) or isinstance(milliseconds, bool):
        return None
    try:
        return EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None


def _check_version(value: object) -> None:
    """Numbers arrive as doubles; an event without a version is of the first one."""
    if value is None:
        return
    if not isinstance(value, int | float) or isinstance(value, bool) or value != VERSION:
        raise Unreadable(f"Version__c is not {VERSION}")


def _order_id(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise Unreadable("OrderId__c is missing")
    try:
        return sf_id(value, ORDER)
    except ValueError as error:
        raise Unreadable("OrderId__c is not the id of an Order") from error


def _idem_key(value: object) -> str:
    """Never cut short: two keys that begin alike would become one."""
    if value is None or value == "":
        return ""
    if not _is_text(value):
        raise Unreadable(f"IdemKey__c is not a text of at most {LONGEST_TEXT} characters")
    return str(value)


def _correlation_id(value: object) -> str:
    return value if isinstance(value, str) and ACCEPTED.match(value) else ""


def _if_short(value: object) -> str:
    return str(value) if _is_text(value) else ""


def _is_text(value: object) -> bool:
    # Unprintable characters include NUL, which PostgreSQL cannot store in a text.
    return isinstance(value, str) and len(value) <= LONGEST_TEXT and value.isprintable()
