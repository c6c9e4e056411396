"""What is known about a customer at the moment of ordering, asked of the database and of WHMCS (two reads at most)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import structlog
from allauth.account.models import EmailAddress

from accounts import links, payment
from accounts.identity.standing import Standing, standing
from accounts.models import Address, CustomerLink, SignupJourney, User
from accounts.setting_up import Place, place_of
from catalog import queries as catalog
from catalog.eligibility import asking
from catalog.models import EligibilityRequest, Product
from integrations import gateway
from integrations.errors import OutsideError
from integrations.whmcs.schemas import Service
from orders.models import Order, OrderQuerySet

log = structlog.get_logger(__name__)
ENDED_SERVICES = frozenset({"Terminated", "Cancelled", "Fraud", "Completed"})
NOTHING_SENT = Standing("open")


class Wanted(Protocol):
    """What names a plan: a priced line of a cart, or an order that waits."""

    @property
    def product(self) -> Product: ...


W = TypeVar("W", bound=Wanted)


@dataclass(frozen=True)
class Situation:
    """What is known about a customer at this moment. None where an outside system could not be asked."""

    email: str
    email_verified: bool
    link: CustomerLink | None  # a real link only; a provisional one counts as none
    account: Place
    has_payment_method: bool | None
    has_other_internet: bool | None
    check: EligibilityRequest | None = None  # the address check that counts, where the lines need one
    identity: Standing = NOTHING_SENT  # asked only where a line needs papers
    has_address: bool = True
    other_sims: int | None = 0  # SIMs the customer has or has ordered, those of the cart not counted


def situation(*, user: User, lines: Sequence[Wanted], order: Order | None = None) -> Situation:
    """Looks at the customer as they are now. Asks WHMCS, so not to be called in a transaction; never raises for it.

    `order`: one that is stored already and is judged before those that were submitted after it; it does not stand in
    its own way.
    """
    link, internet, sims = links.linked(user), of(Product.Category.INTERNET, lines), of(Product.Category.SIM, lines)
    has_payment_method = _has_payment_method(user) if link else False
    held = _services(link) if internet or sims else []
    others = _others(user, order)
    return replace(
        known_here(user=user, lines=lines),
        has_payment_method=has_payment_method,
        has_other_internet=_has_other_internet(others, held) if internet else False,
        other_sims=_other_sims(others, held) if sims else 0,
    )


def known_here(*, user: User, lines: Sequence[Wanted]) -> Situation:
    """What the portal knows by itself, asking nobody: the payment method as WHMCS last said, no other services."""
    link = links.linked(user)
    journey = SignupJourney.objects.filter(user=user).first()
    return Situation(
        email=user.email,
        email_verified=EmailAddress.objects.filter(user=user, email=user.email, verified=True).exists(),
        link=link,
        account=place_of(links.link_of(user), journey),
        has_payment_method=bool(link and link.has_payment_method),
        has_other_internet=False,
        check=asking.latest(user) if of(Product.Category.INTERNET, lines) else None,
        identity=standing(user) if link and needs_papers(lines) else NOTHING_SENT,
        has_address=link is None or Address.objects.filter(user=user).exists(),
    )


def of(category: str, lines: Sequence[W]) -> list[W]:
    """The lines of one family."""
    return [line for line in lines if line.product.category == category]


def needs_papers(lines: Sequence[Wanted]) -> bool:
    """Whether papers must be sent in before the order. Where another way is prescribed, that comes after it
    (decisions.md 9), and without either nothing is asked."""
    return any(line.product.identity == Product.Identity.UPLOAD for line in lines)


def _others(user: User, order: Order | None) -> OrderQuerySet:
    """The customer's orders that something still happens to; beside `order`, those that go before it."""
    others = Order.objects.for_user(user).under_way()
    if order is None:
        return others
    later = {"local_state": Order.Local.SUBMITTED, "cleared_at": None, "pk__gt": order.pk}
    return others.exclude(pk=order.pk).exclude(**later)


def _has_payment_method(user: User) -> bool | None:
    try:
        return payment.has_payment_method(user)
    except OutsideError as error:
        log.warning("checkout.whmcs_unreachable", operation=error.operation, error_code=error.code)
        return None


def _services(link: CustomerLink | None) -> list[Service] | None:
    """What the customer has at WHMCS and has not ended; None when it cannot be asked."""
    if link is None or link.whmcs_client_id is None:
        return []
    try:
        services = gateway.whmcs().services(link.whmcs_client_id)
    except OutsideError as error:
        log.warning("checkout.whmcs_unreachable", operation=error.operation, error_code=error.code)
        return None
    return [service for service in services if service.status not in ENDED_SERVICES]


def _has_other_internet(others: OrderQuerySet, held: Sequence[Service] | None) -> bool | None:
    if others.filter(category=Product.Category.INTERNET).exists():
        return True
    if held is None:
        return None
    pids = catalog.plan_pids(Product.Category.INTERNET)
    return any(service.pid in pids for service in held)


def _other_sims(others: OrderQuerySet, held: Sequence[Service] | None) -> int | None:
    if held is None:
        return None
    ordered = others.filter(category=Product.Category.SIM)
    known = list(ordered.values_list("whmcs_order_id", flat=True))  # a service of one of these is not a second SIM
    pids = catalog.plan_pids(Product.Category.SIM)
    return len(known) + sum(service.pid in pids and service.order_id not in known for service in held)
