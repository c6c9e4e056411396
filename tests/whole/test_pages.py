"""The main customer pages in a real browser, both languages: axe, the narrowest phone, the content security policy."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page

from sandbox.demo.customer import PASSWORD, Customer, Person
from sandbox.demo.stack import Stack

pytestmark = [pytest.mark.whole, pytest.mark.browser, pytest.mark.xdist_group("whole")]
LANGUAGES = ("en", "ja")
SHOPPER = Person("midori.kato@example.jp", "Midori", "Kato")
SMALLEST, USUAL = ({"width": 320, "height": 640}, {"width": 390, "height": 844})
VISITORS_PAGES = (
    "/",
    "/plans/",
    "/plans/internet/",
    "/plans/sim/",
    "/plans/vpn/",
    "/plans/internet/INT-APT-1G/",
    "/plans/sim/SIM-VD-3/",
    "/plans/vpn/VPN-US/?option-extra_devices=99",  # refused: the error summary
    "/internet/check/",
    "/cart/",
    "/account/login/",
    "/account/signup/",
    "/account/password/reset/",
    "/contact/",
    "/terms/",
    "/privacy/",
    "/tokushoho/",
    "/account/identity/by-chip/",
    "/no-such-page/",
    "/styleguide/",
)
CUSTOMERS_PAGES = (
    "/overview/",
    "/cart/",
    "/checkout/",
    "/orders/",
    "/services/",
    "/account/",
    "/account/address/",
    "/account/payment/",
    "/account/identity/",
    "/account/email/",
    "/account/password/change/",
    "/account/2fa/",
)


@dataclass
class Inspector:
    """One browser window; `look` opens a page and says everything that is wrong with it."""

    page: Page
    refused: list[str] = field(default_factory=list)

    def listen(self, said: ConsoleMessage) -> None:
        if "Content Security Policy" in said.text:
            self.refused.append(said.text)

    def look(self, path: str) -> list[str]:
        self.refused.clear()
        self.page.set_viewport_size(USUAL)  # type: ignore[arg-type]
        self.page.goto(path)
        return self.problems_here()

    def problems_here(self) -> list[str]:
        return [*self._axe(), *self._sideways(), *self.refused]

    def _axe(self) -> list[str]:
        violations = Axe().run(self.page).response["violations"]
        return [f"{each['id']}: {[node['target'] for node in each['nodes']]}" for each in violations]

    def _sideways(self) -> list[str]:
        self.page.set_viewport_size(SMALLEST)  # type: ignore[arg-type]
        width = self.page.evaluate("document.documentElement.scrollWidth")
        return [f"{width} px wide at {SMALLEST['width']} px"] if width > SMALLEST["width"] else []


@pytest.fixture(params=LANGUAGES)
def inspector(request: pytest.FixtureRequest, browser: Browser, stack: Stack) -> Iterator[Inspector]:
    context = browser.new_context(locale=request.param, base_url=stack.site_url, reduced_motion="reduce")
    context.add_cookies([{"name": "language", "value": request.param, "url": stack.site_url}])
    made = Inspector(context.new_page())
    made.page.on("console", made.listen)
    yield made
    context.close()


@pytest.fixture(scope="module")
def order_path(stack: Stack) -> str:
    """A customer with one order under way and a second plan in the cart; the path of the order."""
    customer = Customer(stack.site_url, stack.ready, SHOPPER)
    customer.sign_up()
    customer.add_to_cart("/plans/vpn/VPN-US/")
    customer.add_card()
    path = customer.place_order()
    customer.add_to_cart("/plans/internet/INT-APT-1G/")
    return path


def problems(inspector: Inspector, paths: tuple[str, ...]) -> dict[str, list[str]]:
    return {path: found for path in paths if (found := inspector.look(path))}


def test_a_visitors_pages(inspector: Inspector) -> None:
    assert problems(inspector, VISITORS_PAGES) == {}


def test_a_customers_pages(inspector: Inspector, order_path: str, stack: Stack) -> None:
    page = inspector.page
    page.goto("/account/login/")
    page.fill("[name=login]", SHOPPER.email)
    page.fill("[name=password]", PASSWORD)
    page.locator("[name=password]").press("Enter")
    page.wait_for_url(urljoin(stack.site_url, "/overview/"))
    assert problems(inspector, (*CUSTOMERS_PAGES, order_path)) == {}


def test_a_form_with_errors(inspector: Inspector) -> None:
    page = inspector.page
    page.goto("/account/signup/")
    page.check("[value=legacy]")
    page.locator("main form button").first.click()
    page.locator(".error-summary").wait_for()
    assert page.evaluate("document.activeElement.className") == "error-summary"
    assert inspector.problems_here() == []
