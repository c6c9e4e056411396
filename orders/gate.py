"""What must be there before an order can be placed, as a task list in plain words (product.md §7).

`situation` asks what has to be asked now (two WHMCS reads at most); `tasks` judges and asks nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import urlencode

import structlog
from allauth.account.models import EmailAddress
from django.conf import settings
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import links, payment
from accounts.identity.standing import Standing, standing
from accounts.models import Address, CustomerLink, SignupJourney, User
from catalog import queries as catalog
from catalog.eligibility import asking, places
from catalog.models import EligibilityRequest, Product
from catalog.pricing import PricedLine
from integrations import gateway
from integrations.errors import OutsideError
from integrations.whmcs.schemas import Service
from orders.models import Order

log = structlog.get_logger(__name__)
Text = str | Promise
TaskState = Literal["done", "todo", "wait"]
ENDED_SERVICES = frozenset({"Terminated", "Cancelled", "Fraud", "Completed"})
NOTHING_SENT = Standing("open")


@dataclass(frozen=True)
class Task:
    """One thing the order needs: done, the customer's to do, or waiting for somebody else."""

    key: str
    state: TaskState
    name: Text
    text: Text
    action: Text = ""
    url: str = ""
    blocks: bool = False  # the order cannot be placed like this
    word: Text = ""  # on its badge, instead of what its state says


@dataclass(frozen=True)
class Situation:
    """What is known about a customer at this moment. None where an outside system could not be asked."""

    email: str
    email_verified: bool
    link: CustomerLink | None  # a real link only; a provisional one counts as none
    provisional: bool
    journey_state: str
    has_payment_method: bool | None
    has_other_internet: bool | None
    check: EligibilityRequest | None = None  # the address check that counts, where the lines need one
    identity: Standing = NOTHING_SENT  # asked only where a line needs papers
    has_address: bool = True
    other_sims: int | None = 0  # SIMs the customer has or has ordered, those of the cart not counted


def situation(*, user: User, lines: Sequence[PricedLine]) -> Situation:
    """Looks at the customer as they are now. Asks WHMCS, so not to be called in a transaction; never raises for it."""
    link = links.linked(user)
    has_payment_method = _has_payment_method(user) if link else False
    held = _services(link) if _internet(lines) or _of(Product.Category.SIM, lines) else []
    journey = SignupJourney.objects.filter(user=user).first()
    return Situation(
        email=user.email,
        email_verified=EmailAddress.objects.filter(user=user, email=user.email, verified=True).exists(),
        link=link,
        provisional=link is None and CustomerLink.objects.filter(user=user, state="provisional").exists(),
        journey_state=journey.state if journey else "",
        has_payment_method=has_payment_method,
        check=asking.latest(user) if _internet(lines) else None,
        identity=standing(user) if link and _needs_papers(lines) else NOTHING_SENT,
        has_other_internet=_has_other_internet(user, held) if _internet(lines) else False,
        has_address=link is None or Address.objects.filter(user=user).exists(),
        other_sims=_other_sims(user, held) if _of(Product.Category.SIM, lines) else 0,
    )


def tasks(now: Situation, lines: Sequence[PricedLine]) -> tuple[Task, ...]:
    """The task list for these lines: what is missing first, what is done last; links lead back here. Pure."""
    found = [_email(now), _account(now)]
    if now.link:
        found += [_address(now), _payment(now), *_plan_tasks(now, now.link, lines), *_sims(now, lines)]
    order = {"todo": 0, "wait": 1, "done": 2}
    return tuple(sorted((_with_way_back(task) for task in found), key=lambda task: order[task.state]))


def open_tasks(found: Sequence[Task]) -> tuple[Task, ...]:
    """Those that keep the order from being placed."""
    return tuple(task for task in found if task.blocks)


def _plan_tasks(now: Situation, link: CustomerLink, lines: Sequence[PricedLine]) -> list[Task]:
    found: list[Task] = []
    for line in _internet(lines):
        found += [*_eligible(line.product, link, now.check), _one_internet(now)]
    return [*found, _identity(now.identity)] if _needs_papers(lines) else found


def _of(category: str, lines: Sequence[PricedLine]) -> list[PricedLine]:
    return [line for line in lines if line.product.category == category]


def _internet(lines: Sequence[PricedLine]) -> list[PricedLine]:
    return _of(Product.Category.INTERNET, lines)


def _with_way_back(task: Task) -> Task:
    """Whoever goes to do what is missing comes back to the checkout."""
    elsewhere = task.blocks and not task.url.startswith((reverse("cart"), reverse("checkout"), reverse("catalog")))
    if not elsewhere or "?" in task.url:
        return task
    return replace(task, url=f"{task.url}?{urlencode({'next': reverse('checkout')})}")


def _needs_papers(lines: Sequence[PricedLine]) -> bool:
    """Whether papers must be sent in before the order. Where another way is prescribed, that comes after it
    (decisions.md 9), and without either nothing is asked."""
    return any(line.product.identity == Product.Identity.UPLOAD for line in lines)


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


def _has_other_internet(user: User, held: Sequence[Service] | None) -> bool | None:
    if Order.objects.for_user(user).filter(category=Product.Category.INTERNET).under_way().exists():
        return True
    if held is None:
        return None
    pids = catalog.plan_pids(Product.Category.INTERNET)
    return any(service.pid in pids for service in held)


def _other_sims(user: User, held: Sequence[Service] | None) -> int | None:
    if held is None:
        return None
    ordered = Order.objects.for_user(user).filter(category=Product.Category.SIM).under_way()
    known = list(ordered.values_list("whmcs_order_id", flat=True))  # a service of one of these is not a second SIM
    pids = catalog.plan_pids(Product.Category.SIM)
    return len(known) + sum(service.pid in pids and service.order_id not in known for service in held)


def _email(now: Situation) -> Task:
    if now.email_verified:
        return Task("email", "done", _("E-mail address confirmed"), now.email)
    return Task(
        "email",
        "todo",
        _("Confirm your e-mail address"),
        _("We sent you a code. Enter it, so that we can tell you about your order."),
        _("Confirm the address"),
        reverse("account_email_verification_sent"),
        blocks=True,
    )


def _account(now: Situation) -> Task:
    title = _("Your customer account")
    if now.link:
        return Task("account", "done", title, _("Everything is set up."))
    if now.provisional:
        return Task(
            "account",
            "wait",
            title,
            _("We are comparing your details by hand. You can order now; the order starts when that is done."),
        )
    if now.journey_state == SignupJourney.State.NUMBER_UNMATCHED:
        return Task(
            "account",
            "todo",
            title,
            _("We could not match your customer number. Choose how to go on."),
            _("Complete your account"),
            reverse("account_setup"),
            blocks=True,
        )
    return Task(
        "account",
        "wait",
        title,
        _("We are setting it up, which mostly takes less than a minute. Your cart is kept."),
        _("See how far it is"),
        reverse("account_setup"),
        blocks=True,
    )


def _address(now: Situation) -> Task:
    title = _("Your address")
    if now.has_address:
        return Task("address", "done", title, _("We have it. Your bills and deliveries go there."))
    text, action = _("For deliveries, bills and the check of your identity."), _("Add your address")
    return Task("address", "todo", title, text, action, reverse("address"), blocks=True)


def _payment(now: Situation) -> Task:
    title = _("Payment method")
    if now.has_payment_method:
        return Task("payment", "done", title, _("We charge nothing before your service is active."))
    if now.has_payment_method is None:
        return _cannot_ask("payment", title)
    return Task(
        "payment",
        "todo",
        title,
        _("We charge nothing now. A card or bank account must be there before we start."),
        _("Add a payment method"),
        reverse("payment_methods"),
        blocks=True,
    )


def _eligible(product: Product, link: CustomerLink, check: EligibilityRequest | None) -> list[Task]:
    title, page = _("Fibre at your address"), reverse("eligibility")
    if not product.eligibility_values:
        return []
    if check is not None and check.is_open:
        sentence = _(
            "We are checking your address, usually within one working day. We write to you; your cart is kept."
        )
        return [Task("eligibility", "wait", title, sentence, _("See your check"), page, blocks=True)]
    if catalog.offered_to(product, link):
        where = f" {places.one_line(check)}" if check is not None else ""
        return [Task("eligibility", "done", title, f"{_('This plan is available at your address.')}{where}")]
    if catalog.checked_answer(link):
        sentence = _("This plan is not available at your address. Choose another one that is.")
        return [
            Task("eligibility", "todo", title, sentence, _("See plans"), reverse("category", args=["internet"]), True)
        ]
    sentence = _("We have to check your address before you can order this plan.")
    return [Task("eligibility", "todo", title, sentence, _("Check my address"), page, blocks=True)]


def _one_internet(now: Situation) -> Task:
    title = _("No other home internet with us")
    if now.has_other_internet is None:
        return _cannot_ask("one_internet", title)
    if not now.has_other_internet:
        return Task("one_internet", "done", title, _("One line per customer."))
    return Task(
        "one_internet",
        "todo",
        _("You already have home internet with us"),
        _("There can be one line per customer. Take the new plan out of your cart, or talk to us about a change."),
        _("Open your cart"),
        reverse("cart"),
        blocks=True,
    )


def _identity(now: Standing) -> Task:
    """Sent in is enough for ordering; the SIM is activated once the check is done (product.md §6)."""
    title = _("Proof of identity for the SIM")
    if now.place == "verified":
        return Task("identity", "done", title, _("Your identity is confirmed."))
    if now.place == "checking":
        return Task("identity", "done", title, _("We have your documents and are checking them."))
    text = _("Needed by law for a number with voice. Send us a copy of your residence card or driving licence.")
    if now.refused:
        text = _("We could not confirm your identity with what you sent. Please send your documents again.")
    back = urlencode({"next": reverse("checkout")})
    return Task(
        "identity",
        "todo",
        title,
        text,
        _("Send identity documents"),
        f"{reverse('identity')}?{back}",
        blocks=True,
    )


def _sims(now: Situation, lines: Sequence[PricedLine]) -> list[Task]:
    wanted = len(_of(Product.Category.SIM, lines))
    if not wanted:
        return []
    if now.other_sims is None:
        return [_cannot_ask("sims", _("Number of SIMs"))]
    if now.other_sims + wanted <= settings.SIM_LIMIT:
        return []
    title = _("More SIMs than one customer can have")
    counts = {"most": settings.SIM_LIMIT, "others": now.other_sims, "wanted": wanted}
    text = _(
        "One customer can have %(most)s SIMs. You have or have ordered %(others)s, and your cart holds %(wanted)s. "
        "Take some out of your cart, or talk to us."
    )
    return [Task("sims", "todo", title, text % counts, _("Open your cart"), reverse("cart"), blocks=True)]


def _cannot_ask(key: str, title: Text) -> Task:
    return Task(
        key,
        "wait",
        title,
        _("Our billing service does not answer just now. Your cart is kept; try again in a few minutes."),
        _("Try again"),
        reverse("checkout"),
        blocks=True,
    )
