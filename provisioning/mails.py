"""What a customer is written about the end of an attempt; rows in the outcome's transaction (decisions.md 25, 36)."""

from collections.abc import Mapping, Sequence
from typing import Any

from catalog.models import Product
from catalog.pricing import shown_cycle
from integrations.salesforce.schemas import ProvisionableItem, ProvisionableOrder
from notifications import outgoing
from notifications.models import Email
from orders.queries import contact_for, is_cancelled
from provisioning.failures import Code
from provisioning.models import Attempt

OF_THE_CUSTOMER: Mapping[str, str] = {
    Code.PAYMENT_METHOD_MISSING: "order_payment_needed",
    Code.IDENTITY_PENDING: "order_identity_needed",
}


def provisioned(attempt: Attempt, order: ProvisionableOrder | None) -> None:
    """The order is active: once per order, however often it is asked for again."""
    _queue(attempt, "order_provisioned", cause=_good_news(attempt), order=order)


def failed(attempt: Attempt, code: str) -> None:
    """What the customer can mend is asked for each time; any other trouble is "delayed", once per order.

    Nothing is delayed for a customer who was told that the order is active, or cancelled.
    """
    template = OF_THE_CUSTOMER.get(code)
    if template:
        _queue(attempt, template, cause=f"{code}:{attempt.pk}")
    elif not (Email.objects.filter(cause=_good_news(attempt)).exists() or is_cancelled(attempt.order_id)):
        _queue(attempt, "order_delayed", cause=f"delayed:{attempt.order_id}")


def _good_news(attempt: Attempt) -> str:
    return f"provisioned:{attempt.order_id}"


def _queue(attempt: Attempt, template: str, *, cause: str, order: ProvisionableOrder | None = None) -> None:
    contact = contact_for(attempt.order_id)
    if contact is None:  # an order that did not come from the portal: its customer knows no portal page of it
        return
    outgoing.queue(
        cause=cause,
        template=template,
        to=contact.email,
        user_id=contact.user_id,
        language=contact.language,
        context={
            "addressee": contact.addressee,
            "number": contact.number,
            "url": contact.url,
            "items": _items(order.items, contact.language) if order else [],
        },
    )


def _items(items: Sequence[ProvisionableItem], language: str) -> list[dict[str, Any]]:
    japanese = dict(Product.objects.filter(sku__in=[item.sku for item in items]).values_list("sku", "name_ja"))
    return [
        {
            "name": (japanese.get(item.sku) if language == "ja" else "") or item.name,
            "price": item.unit_price * item.quantity,
            "cycle": shown_cycle(item.billing_cycle),
        }
        for item in items
    ]
