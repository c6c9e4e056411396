"""What the plans themselves ask: the line at the address, one home internet, papers for a SIM, not too many SIMs."""

from collections.abc import Sequence
from dataclasses import replace

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.identity.standing import Standing
from accounts.models import CustomerLink
from catalog import queries as catalog
from catalog.eligibility import places
from catalog.models import EligibilityRequest, Product
from orders.situation import Situation, Wanted, needs_papers, of
from orders.tasks import TO_DO, Task, cannot_ask


def plan_tasks(now: Situation, link: CustomerLink, lines: Sequence[Wanted]) -> list[Task]:
    """What each kind of plan among `lines` asks of a customer. Pure."""
    found: list[Task] = []
    for line in of(Product.Category.INTERNET, lines):
        found += [*_eligible(line.product, link, now.check), _one_internet(now)]
    papers = [_identity(now.identity)] if needs_papers(lines) else []
    return [*found, *papers, *_sims(now, lines)]


def _eligible(product: Product, link: CustomerLink, check: EligibilityRequest | None) -> list[Task]:
    title, page = _("Fibre at your address"), reverse("eligibility")
    if not product.eligibility_values:
        return []
    if check is not None and check.is_open:
        sentence = _(
            "We are checking your address, usually within one working day. We write to you, and nothing is lost."
        )
        return [Task("eligibility", "wait", title, sentence, _("See your check"), page, blocks=True)]
    if catalog.offered_to(product, link):
        where = f" {places.one_line(check)}" if check is not None else ""
        return [Task("eligibility", "done", title, f"{_('This plan is available at your address.')}{where}")]
    if catalog.checked_answer(link):
        sentence = _("This plan is not available at your address. Choose another one that is.")
        plans = reverse("category", args=["internet"])
        return [_ruled_out(Task("eligibility", "todo", title, sentence, _("See plans"), plans))]
    sentence = _("We have to check your address before this plan can be ordered.")
    return [Task("eligibility", "todo", title, sentence, _("Check my address"), page, blocks=True)]


def _one_internet(now: Situation) -> Task:
    title = _("No other home internet with us")
    if now.has_other_internet is None:
        return cannot_ask("one_internet", title)
    if not now.has_other_internet:
        return Task("one_internet", "done", title, _("One line per customer."))
    title = _("You already have home internet with us")
    text = _("There can be one line per customer. Take the new plan out of your cart, or talk to us about a change.")
    return _ruled_out(Task("one_internet", "todo", title, text, _("Open your cart"), reverse("cart")))


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
    action, word = _("Send identity documents"), TO_DO if now.refused else ""
    return Task("identity", "todo", title, text, action, reverse("identity"), blocks=True, word=word)


def _sims(now: Situation, lines: Sequence[Wanted]) -> list[Task]:
    wanted = len(of(Product.Category.SIM, lines))
    if not wanted:
        return []
    if now.other_sims is None:
        return [cannot_ask("sims", _("Number of SIMs"))]
    if now.other_sims + wanted <= settings.SIM_LIMIT:
        return []
    title = _("More SIMs than one customer can have")
    counts = {"most": settings.SIM_LIMIT, "others": now.other_sims, "wanted": wanted}
    text = _(
        "One customer can have %(most)s SIMs. You have or have ordered %(others)s, and your cart holds %(wanted)s. "
        "Take some out of your cart, or talk to us."
    )
    return [_ruled_out(Task("sims", "todo", title, text % counts, _("Open your cart"), reverse("cart")))]


def _ruled_out(task: Task) -> Task:
    """No entry is missing: what is wanted cannot be, and the customer has to choose something else."""
    return replace(task, blocks=True, word=TO_DO, why="ruled_out")
