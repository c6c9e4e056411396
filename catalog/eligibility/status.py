"""What the page of a request says: where it stands, what happens next and when."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from catalog.eligibility.models import EligibilityRequest

Text = str | Promise
State = EligibilityRequest.State
BEGUN = Coalesce("requested_at", "created_at")  # when the wait began
USUALLY = _("Usually within one working day")
PATIENCE = timedelta(days=4)  # as of orders: longer than we said, with a weekend in it


@dataclass(frozen=True)
class Stop:
    """One stop of the line (components/_line.html)."""

    state: str  # done, now, late or next
    name: Text
    text: Text = ""
    at: datetime | None = None
    when: Text = ""


@dataclass(frozen=True)
class CheckView:
    """The page in the active language; no stops where the line would say nothing."""

    title: Text
    lede: Text
    stops: tuple[Stop, ...] = field(default=())
    late: bool = False  # longer than we said; the page then says whom to call


def view(request: EligibilityRequest) -> CheckView:
    """How the request stands, by its columns and the clock."""
    return VIEWS[request.state](request)


def is_late(request: EligibilityRequest) -> bool:
    """Whether somebody waits for the answer for longer than we said."""
    begun = request.requested_at or request.created_at
    return request.state in {State.SUBMITTED, State.ASKED} and timezone.now() - begun > PATIENCE


def late(requests: QuerySet[EligibilityRequest]) -> QuerySet[EligibilityRequest]:
    """Those among them that `is_late` says so of."""
    waiting = requests.filter(state__in=[State.SUBMITTED, State.ASKED])
    return waiting.alias(begun=BEGUN).filter(begun__lt=timezone.now() - PATIENCE)


def stops_ahead() -> tuple[Stop, ...]:
    """What will happen, for the page that asks for the address."""
    return (
        Stop("now", _("You send the address")),
        Stop("next", _("We look up the building"), when=USUALLY),
        Stop("next", _("You get the answer"), _("By e-mail, here and on your overview")),
    )


def _sent(request: EligibilityRequest) -> Stop:
    return Stop("done", _("You sent the address"), at=request.created_at)


def _answer_to_come() -> Stop:
    return Stop("next", _("You get the answer"), _("By e-mail, here and on your overview"))


def _kept(request: EligibilityRequest) -> CheckView:
    look_up = Stop("next", _("We look up the building"), when=USUALLY)
    if request.user_id is None:
        account = Stop("now", _("You create an account"), _("So that we know whom to send the answer to."))
        lede = _("Create an account or sign in, and we send the address off by ourselves.")
        return CheckView(_("We have kept your address"), lede, (_sent(request), account, look_up, _answer_to_come()))
    account = Stop("now", _("Your account is set up"), _("You need not do anything."))
    lede = _("We look it up as soon as your account is set up. It goes on by itself, and nothing is lost.")
    return CheckView(_("We have kept your address"), lede, (_sent(request), account, look_up, _answer_to_come()))


def _under_way(request: EligibilityRequest) -> CheckView:
    if is_late(request):
        look_up = Stop("late", _("We look up the building"), _("A person compares it with the maps of the lines."))
        lede = _("It takes longer than we said, and we are sorry. Your address is kept; nothing is lost.")
        return CheckView(
            _("We are checking your address"), lede, (_sent(request), look_up, _answer_to_come()), late=True
        )
    if request.state == State.SUBMITTED and request.error_code:
        text = _("We cannot pass it on just now. Your address is kept, and we try again by ourselves.")
        look_up = Stop("late", _("We look up the building"), text)
        lede = _("It takes a little longer than usual. You need not do anything, and nothing is lost.")
        return CheckView(_("We have your address"), lede, (_sent(request), look_up, _answer_to_come()))
    look_up = Stop(
        "now", _("We look up the building"), _("A person compares it with the maps of the lines."), when=USUALLY
    )
    lede = _("You need not do anything. We write to you when we know.")
    return CheckView(_("We are checking your address"), lede, (_sent(request), look_up, _answer_to_come()))


def _answered(request: EligibilityRequest) -> CheckView:
    stops = (_sent(request), Stop("done", _("We looked up the building"), at=request.answered_at))
    if request.offered:
        return CheckView(_("Fibre reaches your home"), _("These plans are available at your address."), stops)
    lede = _("None of our fibre plans is available at this address just now. A SIM and a VPN work anywhere in Japan.")
    return CheckView(_("Our fibre does not reach this address"), lede, stops)


def _superseded(request: EligibilityRequest) -> CheckView:
    return CheckView(_("You have asked about another address since"), _("Only the newest address counts."))


VIEWS: Mapping[str, Callable[[EligibilityRequest], CheckView]] = {
    State.KEPT: _kept,
    State.SUBMITTED: _under_way,
    State.ASKED: _under_way,
    State.ANSWERED: _answered,
    State.SUPERSEDED: _superseded,
}
