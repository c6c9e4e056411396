"""How the customer pays: WHMCS knows, we ask (product.md §3). Of a card we see brand, last four and expiry."""

from dataclasses import asdict, dataclass
from datetime import timedelta

import structlog
from django.conf import settings
from django.core.cache import caches
from django.db.models.functions import Now

from accounts.links import linked
from accounts.models import CustomerLink, User
from audit import trail
from integrations import gateway
from integrations.deadline import ended_within
from integrations.whmcs.schemas import PayMethod

log = structlog.get_logger(__name__)

CACHED_S = 5
ASKED_EVERY = timedelta(days=30)  # by housekeeping, of customers who look at no page about it


@dataclass(frozen=True)
class PaymentSummary:
    """The stored ways to pay, the one charged first in front."""

    methods: tuple[PayMethod, ...]

    @property
    def has_method(self) -> bool:
        """Whether one of them can be charged today."""
        return any(not method.expired for method in self.methods)

    @property
    def warning(self) -> str:
        """What CustomerLink.CardWarning says of the way that is charged first; empty when nothing is to be said."""
        if not self.methods:
            return ""
        first = self.methods[0]
        if first.expired:
            return CustomerLink.CardWarning.EXPIRED.value
        return CustomerLink.CardWarning.EXPIRING.value if first.expiring else ""

    def as_json(self) -> dict[str, object]:
        """The payment-method summary of decisions.md 17."""
        return {"has_payment_method": self.has_method, "methods": [asdict(method) for method in self.methods]}


def summary(user: User) -> PaymentSummary:
    """For showing: asked of WHMCS at most once in CACHED_S seconds per customer. Raises OutsideError.

    Never for the decision at checkout: that is `has_payment_method`. A user who is no customer yet has none.
    """
    link = linked(user)
    if link is None:
        return PaymentSummary(methods=())
    known: PaymentSummary | None = caches["cards"].get(_key(link))
    if known is not None:
        return known
    with ended_within(settings.PAGE_DEADLINE_S):
        return _ask(link)


def has_payment_method(user: User) -> bool:
    """Asks WHMCS now. Raises OutsideError; not to be called in a transaction. No customer yet: False, unasked."""
    link = linked(user)
    return link is not None and _ask(link).has_method


def sso_url(user: User) -> str:
    """A fresh address, good for one minute and one use, that opens WHMCS' payment page signed in (whmcs-wire §3.1).

    Redirect to it at once: never store, show or log it. Raises OutsideError; TypeError for a user who is no customer.
    """
    link = linked(user)
    if link is None or link.whmcs_client_id is None:
        raise TypeError("not a customer")
    with ended_within(settings.PAGE_DEADLINE_S):
        url = gateway.whmcs().sso_url(client_id=link.whmcs_client_id, destination=settings.WHMCS_SSO_DESTINATION)
    caches["cards"].delete(_key(link))  # whoever comes back wants to see what they added
    CustomerLink.objects.filter(pk=link.pk).update(payment_page_opened_at=Now(), payment_ask_at=Now())
    trail.record("sso_minted", actor_id=user.pk, user_id=user.pk)
    log.info("sso_minted", user_id=user.pk)
    return url


def look(link: CustomerLink) -> None:
    """Asks WHMCS now and keeps on the link what pages tell unasked. Raises OutsideError; not in a transaction."""
    _ask(link)


def _ask(link: CustomerLink) -> PaymentSummary:
    methods = gateway.whmcs().pay_methods(link.whmcs_client_id or 0)
    answer = PaymentSummary(methods=tuple(methods))
    caches["cards"].set(_key(link), answer, CACHED_S)
    _remember(link, answer)
    return answer


def _remember(link: CustomerLink, answer: PaymentSummary) -> None:
    """Whether there is a way to pay and whether it ends soon, for pages that do not ask; nothing of the card itself."""
    seen = {"has_payment_method": answer.has_method, "card_warning": answer.warning}
    if any(getattr(link, name) != value for name, value in seen.items()):
        CustomerLink.objects.filter(pk=link.pk).update(**seen, payment_ask_at=Now() + ASKED_EVERY)
        for name, value in seen.items():
            setattr(link, name, value)


def _key(link: CustomerLink) -> str:
    return f"pay_methods:{link.pk}:{link.whmcs_client_id}"
