"""What the customer has, as WHMCS says it."""

from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.core.cache import cache
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.links import linked
from accounts.models import User
from integrations import gateway
from integrations.deadline import ended_within
from integrations.whmcs.schemas import Service

CACHED_S = 5
STATES: dict[str, tuple[str, Promise]] = {
    "Active": ("ok", _("Active")),
    "Pending": ("info", _("Being set up")),
    "Suspended": ("warn", _("Paused")),
    "Cancelled": ("none", _("Ended")),
    "Terminated": ("none", _("Ended")),
    "Fraud": ("none", _("Ended")),
    "Completed": ("none", _("Done")),
}
RECURRING = {"monthly": "Monthly", "annually": "Annually"}


@dataclass(frozen=True)
class ServiceCard:
    """One service as a customer sees it."""

    name: str
    kind: str  # of the badge
    state: str | Promise
    price: int | None  # yen; None when nothing recurs
    cycle: str  # Monthly, Annually
    next_due: date | None
    is_over: bool


def services_of(user: User) -> list[ServiceCard]:
    """The customer's services, those in use first; asked of WHMCS at most once in CACHED_S seconds.

    One-time items such as activation fees are no services and are left out. Raises OutsideError.
    """
    link = linked(user)
    if link is None or link.whmcs_client_id is None:
        return []
    key = f"services:{link.whmcs_client_id}"
    found: list[Service] | None = cache.get(key)
    if found is None:
        with ended_within(settings.PAGE_DEADLINE_S):
            found = list(gateway.whmcs().services(link.whmcs_client_id))
        cache.set(key, found, CACHED_S)
    cards = [_card(service) for service in found if service.billing_cycle != "onetime"]
    return sorted(cards, key=lambda card: card.is_over)


def _card(service: Service) -> ServiceCard:
    kind, state = STATES.get(service.status, ("info", _("Being checked")))
    cycle = RECURRING.get(service.billing_cycle, "")
    return ServiceCard(
        name=service.name,
        kind=kind,
        state=state,
        price=int(service.recurring_amount) if cycle else None,
        cycle=cycle,
        next_due=date.fromisoformat(service.next_due_date) if service.next_due_date else None,
        is_over=kind == "none",
    )
