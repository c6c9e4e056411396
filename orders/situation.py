"""What is known about a customer at the moment of ordering, asked of the database and of WHMCS (two reads at most)."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
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
from integrations.errors import OutsideError, Unavailable, UnknownOutcome
from integrations.whmcs.schemas import Service
from orders.models import Order, OrderQuerySet

log = structlog.get_logger(__name__)
ENDED_SERVICES = frozenset({"Terminated", "Cancelled", "Fraud", "Completed"})
NOTHING_SENT = Standing("open")
LIMITED: frozenset[str] = frozenset({Product.Category.INTERNET, Product.Category.SIM})  # so many per customer


class Wanted(Protocol):
    """What names a plan: a priced line of a cart, or an order that waits."""

    @property
    def product(self) -> Product: ...


W = TypeVar("W", bound=Wanted)
A = TypeVar("A")


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
    """Looks at the customer as they are now. Asks WHMCS, so not to be called in a transaction; no page fails for that.

    `order`: one that is stored already and is judged before those that were submitted after it; it does not stand in
    its own way. Then a no of WHMCS (Rejected, Misconfigured) is raised: nobody looks, so support has to hear of it.
    """
    link, asked = links.linked(user), _Asked(is_looked_at=order is None)
    has_payment_method = asked.of(lambda: payment.has_payment_method(user)) if link else False
    families = LIMITED & {line.product.category for line in lines}
    held = asked.of(lambda: _services(link)) if families else []
    others = _others(_before(user, order), held, families)
    return replace(
        known_here(user=user, lines=lines),
        has_payment_method=has_payment_method,
        has_other_internet=others[Product.Category.INTERNET].is_there,
        other_sims=others[Product.Category.SIM].count,
    )


def known_here(*, user: User, lines: Sequence[Wanted]) -> Situation:
    """What the portal knows by itself, asking nobody: the payment method as WHMCS last said, no other services."""
    link = links.linked(user)
    journey = None if link else SignupJourney.objects.filter(user=user).first()
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


def _before(user: User, order: Order | None) -> OrderQuerySet:
    """The customer's orders that something still happens to; beside `order`, those that go before it."""
    others = Order.objects.for_user(user).under_way()
    if order is None:
        return others
    later = {"local_state": Order.Local.SUBMITTED, "cleared_at": None, "pk__gt": order.pk}
    return others.exclude(pk=order.pk).exclude(**later)


@dataclass(frozen=True)
class _Asked:
    """Asks WHMCS; None is no answer. `is_looked_at`: a customer reads the page, who is told so whatever is wrong."""

    is_looked_at: bool

    def of(self, question: Callable[[], A]) -> A | None:
        try:
            return question()
        except OutsideError as error:
            if not self.is_looked_at and not isinstance(error, Unavailable | UnknownOutcome):
                raise
            log.warning("checkout.whmcs_unreachable", operation=error.operation, error_code=error.code)
            return None


def _services(link: CustomerLink | None) -> list[Service]:
    """What the customer has at WHMCS and has not ended."""
    if link is None or link.whmcs_client_id is None:
        return []
    services = gateway.whmcs().services(link.whmcs_client_id)
    return [service for service in services if service.status not in ENDED_SERVICES]


@dataclass(frozen=True)
class Others:
    """What the customer has ordered and holds of one family, beside the lines in question."""

    ordered: int = 0
    held: int | None = 0  # services of orders that are not under way; None when WHMCS does not answer

    @property
    def count(self) -> int | None:
        return None if self.held is None else self.ordered + self.held

    @property
    def is_there(self) -> bool | None:
        return True if self.ordered else None if self.held is None else self.held > 0


def _others(
    orders: OrderQuerySet, held: Sequence[Service] | None, categories: AbstractSet[str]
) -> defaultdict[str, Others]:
    """By family, in two queries; `held`: what WHMCS says that the customer has, None when it does not answer."""
    found: defaultdict[str, Others] = defaultdict(Others)
    if not categories:
        return found
    pids = catalog.plan_pids(categories)
    ordered = list(orders.filter(category__in=categories).values_list("category", "whmcs_order_id"))
    for category in categories:
        known = [
            order_id for family, order_id in ordered if family == category
        ]  # a service of one of these is no second one
        mine = [service for service in held or () if service.pid in pids[category] and service.order_id not in known]
        found[category] = Others(len(known), None if held is None else len(mine))
    return found
