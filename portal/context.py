"""What the shell around every page needs. Nothing is asked of the database before a template reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.models import CustomerLink
from orders import cart
from provisioning import pause
from provisioning.models import Pause

Text = str | Promise
THEME_COOKIE = f"{settings.COOKIE_PREFIX}theme"
THEMES = ("light", "dark")
SECTIONS: Mapping[str, str] = {
    "catalog": "plans",
    "category": "plans",
    "search_plans": "plans",
    "product": "plans",
    "eligibility": "plans",
    "eligibility_request": "plans",
    "order": "orders",
    "order_cancel": "orders",
    "placed": "orders",
}


@dataclass(frozen=True)
class Stop:
    """One entry of the main navigation; `section` is what `SECTIONS` or the URL's name says when one is there."""

    section: str
    label: Text
    url: str


def _visitor_stops() -> list[Stop]:
    return [
        Stop("internet", _("Home internet"), reverse("category", args=["internet"])),
        Stop("sim", _("SIM and eSIM"), reverse("category", args=["sim"])),
        Stop("vpn", _("VPN"), reverse("category", args=["vpn"])),
        Stop("contact", _("Support"), reverse("contact")),
    ]


def _customer_stops() -> list[Stop]:
    return [
        Stop("dashboard", _("Overview"), reverse("dashboard")),
        Stop("plans", _("Plans"), reverse("catalog")),
        Stop("orders", _("Orders"), reverse("orders")),
        Stop("services", _("Services"), reverse("services")),
        Stop("contact", _("Support"), reverse("contact")),
    ]


class Shell:
    """Brand, place, language, theme, person and cart of one request; each worked out when it is first read."""

    brand = settings.BRAND_NAME
    support_email = settings.SUPPORT_EMAIL

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def signed_in(self) -> bool:
        return self._request.user.is_authenticated

    @cached_property
    def link(self) -> CustomerLink | None:
        """The customer's link, a provisional one counting as none (decisions.md 2)."""
        user = self._request.user
        link = getattr(user, "link", None) if user.is_authenticated else None
        return link if isinstance(link, CustomerLink) and link.state == CustomerLink.State.LINKED else None

    @cached_property
    def cart_size(self) -> int:
        return cart.size(self._request)

    @cached_property
    def provisioning_pause(self) -> Pause | None:
        """Who stopped provisioning and why, for staff who may see attempts."""
        return pause.current() if self._request.user.has_perm("provisioning.view_attempt") else None

    @cached_property
    def lacks_payment_method(self) -> bool:
        """Known to have none; a customer nobody asked about yet is not bothered."""
        return self.link is not None and self.link.has_payment_method is False

    @cached_property
    def card_warning(self) -> str:
        """What was last seen of the card that is charged first: expiring, expired, or nothing to say."""
        return self.link.card_warning if self.link is not None else ""

    @cached_property
    def stops(self) -> list[Stop]:
        return _customer_stops() if self.signed_in else _visitor_stops()

    @cached_property
    def section(self) -> str:
        """Where the page lies: a section of the navigation, or empty."""
        match = self._request.resolver_match
        if match is None:
            return ""
        if not self.signed_in and "slug" in match.kwargs:
            return str(match.kwargs["slug"])
        return SECTIONS.get(match.url_name or "", match.url_name or "")

    @cached_property
    def here(self) -> str:
        """The entry of the navigation that the page belongs to; empty elsewhere."""
        return next((stop.section for stop in self.stops if stop.section == self.section), "")

    @property
    def at_cart(self) -> bool:
        return self.section == "cart"

    @property
    def language(self) -> str:
        return "ja" if (get_language() or "en").startswith("ja") else "en"

    @property
    def theme(self) -> str:
        """The saved choice, or empty for "as the device"."""
        saved = self._request.COOKIES.get(THEME_COOKIE, "")
        return saved if saved in THEMES else ""


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `{{ shell.… }}` in every page."""
    return {"shell": Shell(request)}
