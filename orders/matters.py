"""The summary of important matters that a customer confirms before ordering (重要事項説明), by version.

Its words are kept with each order as they were shown (orders.models.Agreement), so that an old text needs no old code.
A new version is a new function in VERSIONS; the setting TERMS_VERSION names the one in force, for it and the terms.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from catalog import facts
from catalog.families import BY_CATEGORY
from catalog.models import Product
from catalog.pricing import PricedLine, sum_lines

Category = Product.Category


@dataclass(frozen=True)
class Price:
    """One sum: what for, yen with tax, and how often (Product.BillingCycle)."""

    name: str
    amount: int
    cycle: str


@dataclass(frozen=True)
class Section:
    """A heading with its sentences and sums, in the language of the customer."""

    title: str
    sentences: tuple[str, ...] = ()
    prices: tuple[Price, ...] = ()


def summary(lines: Sequence[PricedLine], *, version: str = "") -> list[dict[str, Any]]:
    """What is shown for these lines and kept with their orders, as JSON; the version in force unless one is named.

    Raises KeyError for a version there never was.
    """
    sections = VERSIONS[version or settings.TERMS_VERSION](lines)
    return [asdict(section) for section in sections]


def fingerprint(lines: Sequence[PricedLine], places: Sequence[Mapping[str, Any]]) -> str:
    """Of what `summary` says of these lines now, in the active language, and of where they go (orders.places).

    Another word, another fingerprint.
    """
    told = [get_language(), settings.TERMS_VERSION, summary(lines), places]
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def _of_2026_10_01(lines: Sequence[PricedLine]) -> list[Section]:
    common = [
        Section(_("Who provides the service"), _provider()),
        Section(_("Term and cancellation"), tuple(_term(lines))),
        Section(_("Changing your mind: initial contract cancellation"), _withdrawal()),
        Section(_("Billing and payment"), _billing()),
        Section(_("Speed and quality"), tuple(_quality(lines))),
        Section(_("Numbers and identity"), tuple(_numbers(lines))),
        Section(_("Questions and complaints"), _contact()),
    ]
    return [_service(line) for line in lines] + [section for section in common if section.sentences]


VERSIONS: Mapping[str, Callable[[Sequence[PricedLine]], list[Section]]] = {"2026-10-01": _of_2026_10_01}


def _service(line: PricedLine) -> Section:
    family = BY_CATEGORY[line.product.category]
    told = [
        f"{fact.label}: {fact.value}" for fact in facts.facts(line.product.attributes, family.columns) if fact.value
    ]
    chosen = [each.words for each in line.service.chosen if each.words]
    return Section(line.product.name, (str(family.name), *told, *chosen), tuple(_prices(line)))


def _prices(line: PricedLine) -> Iterable[Price]:
    for cycle in Product.BillingCycle.values:
        for part in sum_lines([line], cycle):
            yield Price(part.name, part.amount, cycle)


def _provider() -> tuple[str, ...]:
    return (
        _("Sonix Networks K.K., telecommunications business registration A-02-19842."),
        _("The fibre line and the mobile network belong to other carriers; your contract is with us."),
    )


def _term(lines: Sequence[PricedLine]) -> Iterable[str]:
    yield _("No plan has a fixed term or a cancellation fee.")
    yield _("A cancellation takes effect at the end of the month you choose; that month is charged in full.")
    if any(line.product.category == Category.INTERNET for line in lines):
        yield _("Rented equipment goes back by post when the line ends; what does not come back is charged.")
    if any(line.product.billing_cycle == Product.BillingCycle.ONE_TIME for line in lines):
        yield _("A plan that is paid once ends by itself when its days or its data are used up.")


def _withdrawal() -> tuple[str, ...]:
    return (
        _("You may withdraw in writing or by e-mail within eight days of receiving the contract document."),
        _("You then pay only for what you used, and the activation fee and work already done, up to the legal limit."),
    )


def _billing() -> tuple[str, ...]:
    return (
        _("All prices are in yen and include 10% consumption tax."),
        _("Monthly charges begin on the day the service starts; the first month is charged by the day."),
        _("One-time charges are on the first bill."),
        _("The payment method in your account is charged on the first of each month."),
    )


def _quality(lines: Sequence[PricedLine]) -> Iterable[str]:
    kinds = {line.product.category for line in lines}
    if kinds & {Category.INTERNET, Category.SIM}:
        yield _("Speeds are technical maxima and not guaranteed (best effort). They fall when many use the network.")
    if Category.INTERNET in kinds:
        yield _("An engineer may have to come and work in your home; the owner of the building has to agree.")
    if Category.SIM in kinds:
        yield _("When a month’s data are used up, the speed falls until the next month or until you top up.")


def _numbers(lines: Sequence[PricedLine]) -> Iterable[str]:
    sims = [line.product for line in lines if line.product.category == Category.SIM]
    if any(sim.attributes.get("voice") for sim in sims):
        yield _("The law asks us to check who you are before a number with voice can start.")
        yield _("You can take your number to another carrier, and bring yours to us, without a fee.")
    if not all(sim.attributes.get("voice") for sim in sims):
        yield _("A data SIM has no telephone number and cannot call 110, 118 or 119.")
    if sims:
        yield _("The device has to be free of SIM lock and fit for use in Japan.")


def _contact() -> tuple[str, ...]:
    return (
        _("0120-555-014 (free, 9:00 to 21:00 every day, English and Japanese), or the contact page."),
        _("If the service is down for more than 24 hours in a row by our fault, you do not pay for that time."),
    )
