"""What a customer has to do or wait for now, in order: the account first, then what an order needs, then what can wait.

Each step looks at what the portal knows by itself; none asks anybody outside. A new area adds its step to STEPS.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts import links
from accounts.identity.standing import standing
from accounts.models import Address, CustomerLink, SignupJourney, User
from accounts.setting_up import SENTENCES, Place, place_of
from catalog.eligibility import asking
from catalog.models import EligibilityRequest, Product
from orders.models import Order
from orders.tasks import TO_DO, WAITING, Task

NEWS = timedelta(days=14)  # how long the plans that an address check found are a step
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Known:
    """What the steps look at."""

    user: User
    link: CustomerLink | None  # a provisional one too
    has_orders: bool  # one is under way
    proofs: Collection[str]  # how those under way want it proven who one is: values of Product.Identity
    held: Order | None = None  # one that waits for something besides support

    @property
    def customer(self) -> CustomerLink | None:
        """The link if it is real."""
        return self.link if self.link is not None and self.link.state == CustomerLink.State.LINKED else None


Step = Callable[[Known], Task | None]


def to_do(user: User, *, has_orders: bool, proofs: Collection[str] = (), held: Order | None = None) -> list[Task]:
    """The customer's to-dos and waits, the most urgent first; nothing that is done.

    `has_orders`: some order is under way; `proofs`: what of Product.Identity those ask for; `held`: one waits for
    something.
    """
    known = Known(user, links.link_of(user), has_orders, proofs, held)
    return [task for task in (step(known) for step in STEPS) if task is not None]


def _account(known: Known) -> Task | None:
    if known.customer is not None:
        return None
    journey, url = SignupJourney.objects.filter(user=known.user).first(), reverse("account_setup")
    place = place_of(known.link, journey)
    if place == Place.NUMBER:
        name = _("Complete your account")
        return Task("account", "todo", name, SENTENCES[place], name, url, word=TO_DO)
    word = WAITING if place in {Place.UNDER_WAY, Place.LATE} else ""  # the others are in somebody's hands
    return Task("account", "wait", _("Your customer account"), SENTENCES[place], _("See how far it is"), url, word=word)


def _held_order(known: Known) -> Task | None:
    """An order that was submitted before support confirmed the customer number, and that something is missing for."""
    if known.held is None or known.customer is None:
        return None
    name = _("Your order %(number)s waits") % {"number": known.held.number}
    text, url = _("Something is still missing. Its page says what."), reverse("order", args=[known.held.number])
    return Task("order", "todo", name, text, _("See what is missing"), url, word=TO_DO)


def _address(known: Known) -> Task | None:
    if Address.objects.filter(user=known.user).exists():
        return None
    text = _("For deliveries, bills and the check of your identity.")
    return Task("address", "todo", _("Add your address"), text, _("Add your address"), reverse("address"))


def _payment(known: Known) -> Task | None:
    if known.customer is None or known.customer.has_payment_method is not False or known.customer.card_warning:
        return None
    text = (
        _("Your order cannot start without one.")
        if known.has_orders
        else _("With one on file, your next order starts without delay.")
    )
    return Task(
        "payment", "todo", _("Add a payment method"), text, _("Add a payment method"), reverse("payment_methods")
    )


def _card(known: Known) -> Task | None:
    warning = known.customer.card_warning if known.customer is not None else ""
    if not warning:
        return None
    is_over = warning == CustomerLink.CardWarning.EXPIRED
    title = _("Your card has expired") if is_over else _("Your card expires soon")
    text = _("Add the new one before the next bill, so that your services go on without a break.")
    return Task("card", "todo", title, text, _("Renew the card"), reverse("payment_methods"), word=TO_DO)


def _identity(known: Known) -> Task | None:
    """Papers that are being checked, were refused, or that a SIM under way waits for; for some the chip of a card."""
    now = standing(known.user)
    if now.place == "checking":
        return Task("identity", "wait", _("Proof of identity"), _("We have your documents and are checking them."))
    if now.refused:
        name = _("Please send your identity documents again")
        text = _("We could not confirm your identity with what you sent.")
    elif now.place == "open" and Product.Identity.UPLOAD.value in known.proofs:
        name, text = _("Send identity documents"), _("Your SIM is activated once we have confirmed who you are.")
    elif now.place == "open" and Product.Identity.OTHER.value in known.proofs:
        text = _(
            "We write to you how we confirm who you are, by the chip of your card. Your SIM is activated after that."
        )
        title, page = _("Proof of identity"), reverse("identity_by_chip")
        return Task("identity", "wait", title, text, _("How that goes"), page, word=WAITING)
    else:
        return None
    word = TO_DO if now.refused else ""
    return Task("identity", "todo", name, text, _("Send identity documents"), reverse("identity"), word=word)


def _address_check(known: Known) -> Task | None:
    """The check that is under way, or for two weeks the plans it found."""
    check, title, page = asking.latest(known.user), _("Fibre at your address"), reverse("eligibility")
    if check is None:
        return None
    if check.state == EligibilityRequest.State.KEPT:
        text = _("We look it up as soon as your account is set up. It goes on by itself, and nothing is lost.")
        return Task("eligibility", "wait", title, text, _("See your check"), page)
    if check.is_open:
        text = _("We are looking up your building, usually within one working day. We write to you.")
        return Task("eligibility", "wait", title, text, _("See your check"), page)
    is_old = (check.answered_at or NEVER) < timezone.now() - NEWS
    if not check.offered or known.customer is None or known.has_orders or is_old or _has_line(known.user):
        return None
    text = _("It is available. Choose the plan you like.")
    return Task("eligibility", "todo", title, text, _("See plans"), page, word=pgettext("task", "Next step"))


def _has_line(user: User) -> bool:
    """Whether home internet was ordered here and came to a service."""
    return Order.objects.for_user(user).filter(category=Product.Category.INTERNET).active().exists()


STEPS: tuple[Step, ...] = (_account, _held_order, _address, _payment, _card, _identity, _address_check)
