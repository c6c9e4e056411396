"""What stands around an order on its page for staff: its records elsewhere, its e-mails, what was submitted with it."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from accounts.models import CustomerLink
from integrations import staff_pages
from notifications.models import Email
from orders.models import Order
from orders.status import status_of


@dataclass(frozen=True)
class Elsewhere:
    """One record in another system; `href` is empty where there is no address for it."""

    name: "str | Promise"
    id: str
    href: str


def around(order: Order) -> dict[str, Any]:
    """For the template of the page; four queries."""
    sisters = Order.objects.filter(submission=order.submission).exclude(pk=order.pk).order_by("cart_line")
    return {
        "elsewhere": elsewhere(order),
        "mails": list(mails(order)),
        "sisters": [{"order": sister, "status": str(status_of(sister)), "href": _page(sister)} for sister in sisters],
        "note_url": reverse("admin:orders_order_note", args=[order.pk]),
    }


def elsewhere(order: Order) -> list[Elsewhere]:
    """The order, its Opportunity and its customer in Salesforce and WHMCS, as far as they exist."""
    link = CustomerLink.objects.filter(user_id=order.user_id).first() if order.user_id else None
    account, client = (link.sf_account_id, link.whmcs_client_id) if link else (order.sf_account_id, None)
    found = [
        Elsewhere(
            _("order in Salesforce"), order.sf_order_id or "", staff_pages.in_salesforce("Order", order.sf_order_id)
        ),
        Elsewhere(
            _("Opportunity"),
            order.sf_opportunity_id,
            staff_pages.in_salesforce("Opportunity", order.sf_opportunity_id),
        ),
        Elsewhere(pgettext("Salesforce", "Account"), account, staff_pages.in_salesforce("Account", account)),
        Elsewhere(_("order in WHMCS"), str(order.whmcs_order_id or ""), staff_pages.whmcs_order(order.whmcs_order_id)),
        Elsewhere(_("client in WHMCS"), str(client or ""), staff_pages.whmcs_client(client)),
    ]
    return [record for record in found if record.id]


def mails(order: Order) -> QuerySet[Email]:
    """E-mails that name the order, newest first, to its customer; none once the customer is erased."""
    named = Q(context__number=order.number) | Q(context__order__number=order.number)
    named |= Q(context__numbers__contains=[order.number])
    return Email.objects.filter(named, user_id=order.user_id) if order.user_id else Email.objects.none()


def _page(order: Order) -> str:
    return reverse("admin:orders_order_change", args=[order.pk])
