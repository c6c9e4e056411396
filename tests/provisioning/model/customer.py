"""What the customer gets to see: two of the orders came from the portal, with a page each and mails about it (L4)."""

from collections import Counter

from django.utils import timezone

from accounts.models import User
from integrations.salesforce.schemas import ProvisionableOrder
from notifications.models import Email
from orders.models import Order
from orders.status import Status, status_of
from provisioning.models import Outbox
from tests.people import make_customer
from tests.provisioning.doubles import CLIENT

ACCOUNT = "001000000000001AAA"
NEWS = ("order_provisioned", "order_delayed")
SHOWN = {"Provisioned": Status.PROVISIONED, "Failed": Status.FAILED}


def signs_up() -> User:
    return make_customer(sf_account_id=ACCOUNT, whmcs_client_id=CLIENT)


def places(customer: User, order_id: str, *, category: str) -> None:
    Order.objects.create(
        number=f"SX-{order_id[8:12]}-{order_id[12:15]}",
        user=customer,
        cart_hash=order_id,
        portal_ref=order_id,
        correlation_id="model",
        local_state=Order.Local.PLACED,
        sf_order_id=order_id,
        category=category,
        terms_version="1",
        terms_accepted_at=timezone.now(),
    )


def knows_the_outcome(row: ProvisionableOrder) -> None:
    """L4: the page shows what Salesforce holds, and it was written about once or twice, good news among it."""
    page = Order.objects.filter(sf_order_id=row.id).first()
    if page is None or row.status == "Cancelled" or row.activation_status not in SHOWN:
        return
    assert status_of(page) is SHOWN[row.activation_status], f"L4: {row.activation_status}, shown is {status_of(page)}"
    mails = Counter(Email.objects.filter(context__number=page.number).values_list("template", flat=True))
    assert sum(mails[each] for each in NEWS) <= len(NEWS), f"L4: {row.id} was written about by {mails}"
    if row.activation_status == "Provisioned":
        assert mails["order_provisioned"], f"L4: nobody wrote that {row.id} is active, only {mails}"
    elif not Outbox.objects.filter(order_id=row.id, dedupe_key__startswith="lost:").exists():
        assert mails, f"L4: nobody wrote that {row.id} takes longer"
