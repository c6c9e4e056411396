"""The three families: their addresses, words and what is compared in each."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from catalog.models import Product

Text = str | Promise


@dataclass(frozen=True)
class Family:
    """One of the three families; `columns` are the facts its plans are compared by (catalog/facts.py)."""

    slug: str
    category: str
    name: Text
    sentence: Text
    lede: Text
    icon: str
    columns: tuple[str, ...]


FAMILIES = (
    Family(
        "internet",
        Product.Category.INTERNET,
        _("Home internet"),
        _("Fibre up to 10 Gbps for flats and houses. No fixed term."),
        _("Fibre to your flat or house. All plans are unlimited, with no fixed term and no cancellation fee."),
        "wifi",
        ("speed", "building"),
    ),
    Family(
        "sim",
        Product.Category.SIM,
        _("SIM and eSIM"),
        _("A Japanese number or data only, as an eSIM or as a card by post."),
        _("A Japanese number with data, or data only. As an eSIM or as a card by post, with no fixed term."),
        "sim",
        ("data", "voice"),
    ),
    Family(
        "vpn",
        Product.Category.VPN,
        _("VPN"),
        _("A private address in another country, for five devices. Cancel any month."),
        _("A private address in another country for up to five devices. Cancel any month."),
        "shield",
        ("region", "devices"),
    ),
)
BY_SLUG = {family.slug: family for family in FAMILIES}
BY_CATEGORY = {family.category: family for family in FAMILIES}
