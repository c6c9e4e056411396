"""Where what is ordered goes: a line is installed at the address that was checked, a SIM card is sent to its customer.

It is shown before the order is placed, part of what is confirmed there, and kept with the order as it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Address, User
from catalog.eligibility import asking, places
from catalog.models import EligibilityRequest, Product
from catalog.pricing import PricedLine
from orders.models import Order

FIELDS = ("postal_code", "prefecture", "city", "street", "building", "room")
LABELS: Mapping[str, Promise] = {"installed": _("Installed at"), "delivered": _("Sent to")}


@dataclass(frozen=True)
class Place:
    """What becomes Order.place: what happens there, and the address; `change` leads to where it is changed."""

    kind: str  # a key of LABELS
    address: Mapping[str, Any]
    change: str = ""

    @property
    def label(self) -> str:
        return str(LABELS[self.kind])

    @property
    def words(self) -> str:
        """The address as people write it in the active language."""
        return places.one_line(Address(**self.address))

    def as_json(self) -> dict[str, Any]:
        return {"kind": self.kind, **self.address}


def of_lines(user: User, lines: Sequence[PricedLine]) -> list[Place | None]:
    """For each line where it goes, as of now; None where nothing goes anywhere or no address is known. Two queries."""
    sim_types = [{each.option.key: each.value for each in line.service.chosen}.get("sim_type") for line in lines]
    kinds = [_kind(line.product.category, sim_type) for line, sim_type in zip(lines, sim_types, strict=True)]
    check, home = _known(user, kinds)
    return [_place(kind, line.product, check, home) for kind, line in zip(kinds, lines, strict=True)]


def of_order(user: User, order: Order, product: Product) -> Place | None:
    """Where an order goes that was submitted before an address was known, as of now. `product` is its plan."""
    chosen = order.lines.all()[0].options.get("sim_type", {})
    kind = _kind(order.category, chosen.get("value"))
    return _place(kind, product, *_known(user, [kind]))


def kept(place: Mapping[str, Any]) -> Place | None:
    """What an order keeps, read again; None where nothing was kept."""
    return Place(place["kind"], {name: place[name] for name in FIELDS}) if place else None


def _kind(category: str, sim_type: object) -> str:
    if category == Product.Category.INTERNET:
        return "installed"
    return "delivered" if category == Product.Category.SIM and sim_type != "esim" else ""


def _known(user: User, kinds: Sequence[str]) -> tuple[EligibilityRequest | None, Address | None]:
    check = asking.latest(user) if "installed" in kinds else None
    return check, Address.objects.filter(user=user).first() if any(kinds) else None


def _place(kind: str, product: Product, check: EligibilityRequest | None, home: Address | None) -> Place | None:
    """A line of a plan that is not sold everywhere goes where support looked, whatever the bills' address is."""
    back = urlencode({"next": reverse("checkout")})
    checked = check if kind == "installed" and product.eligibility_values and check and not check.is_open else None
    if checked is not None:
        return Place(kind, _address(checked), f"{reverse('eligibility')}?{back}")
    return Place(kind, _address(home), f"{reverse('address')}?{back}") if kind and home is not None else None


def _address(said: EligibilityRequest | Address) -> dict[str, Any]:
    return {name: getattr(said, name) for name in FIELDS}
