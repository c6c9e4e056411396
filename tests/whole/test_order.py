"""A new customer on a phone: from the sign-up form to Active, through all three systems, in a real browser."""

import json
import re
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests
from playwright.sync_api import Page, expect

from sandbox.demo.stack import Stack
from sandbox.demo.verdict import accepted_by_whmcs, disagreements
from tests.waiting import until
from tests.whole.conftest import ARTIFACTS

pytestmark = [pytest.mark.whole, pytest.mark.browser, pytest.mark.xdist_group("whole")]
EMAIL, PASSWORD = "hanako.ito@example.jp", "plum rain on the veranda"
PLACES = Path(ARTIFACTS) / "journey"


class Journey:
    """The page, its camera, and what lies outside the browser: the mailbox and the desk."""

    def __init__(self, page: Page, stack: Stack) -> None:
        self.page, self.people = page, stack.ready["people_url"]
        PLACES.mkdir(parents=True, exist_ok=True)
        self._shots = 0

    def shot(self, name: str) -> None:
        self._shots += 1
        self.page.screenshot(path=PLACES / f"{self._shots:02d}-{name}.png", full_page=True)

    def press(self, button: str) -> None:
        self.page.locator("main").get_by_role("button", name=button, exact=True).locator("visible=true").first.click()

    def code_from_mail(self) -> str:
        address = f"{self.people}/control/mail?to={EMAIL}"

        def look() -> str:
            texts = [mail["text"] for mail in requests.get(address, timeout=10).json()["messages"]]
            found = [re.search(r"^\s*([A-Z0-9]{3,5}-[A-Z0-9]{3,5})\s*$", text, re.MULTILINE) for text in texts]
            return next((match[1] for match in found if match), "")

        return until(look, what="the mail with the code")

    def subjects(self) -> str:
        mails = requests.get(f"{self.people}/control/mail?to={EMAIL}", timeout=10).json()["messages"]
        return "\n".join(mail["subject"] for mail in mails)

    def desk(self, order_id: str, button: str) -> None:
        requests.post(f"{self.people}/control/desk/orders/{order_id}/{button}", timeout=10).raise_for_status()


def sign_up(journey: Journey) -> None:
    page = journey.page
    page.goto("/")
    journey.shot("home")
    page.goto("/account/signup/")
    page.get_by_label("Given names").fill("Hanako")
    page.get_by_label("Family name").fill("Ito")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.locator("input[name=password1]").fill(PASSWORD)
    page.locator("input[name=terms]").check()
    journey.shot("sign-up")
    journey.press("Create account")
    page.locator("input[name=code]").fill(journey.code_from_mail())
    journey.shot("code")
    journey.press("Confirm e-mail address")
    expect(page.locator("[data-poll]")).to_have_count(0, timeout=30_000)
    journey.shot("account-set-up")


def order_a_plan(journey: Journey) -> None:
    page = journey.page
    page.goto("/plans/vpn/")
    journey.shot("plans")
    page.locator("main a[href^='/plans/vpn/']").first.click()
    journey.shot("plan")
    journey.press("Add to cart")
    expect(page).to_have_url(re.compile(r"/cart/"))
    journey.shot("cart")
    page.goto("/checkout/")


def add_an_address(journey: Journey) -> None:
    """From the checkout and back to it."""
    page = journey.page
    page.locator("main a[href*='/account/address/']").first.click()
    page.locator("input[name=postal_code]").fill("108-0023")
    page.locator("select[name=prefecture]").select_option("13")
    page.locator("input[name=city]").fill("Minato-ku")
    page.locator("input[name=street]").fill("Shibaura 9-9-9")
    page.locator("input[name=phone]").fill("080-5521-0147")
    journey.shot("address")
    journey.press("Save address")
    expect(page).to_have_url(re.compile(r"/checkout/$"))


def add_a_card(journey: Journey) -> None:
    page = journey.page
    page.locator("main a[href*='/account/payment/']").first.click()
    journey.shot("payment-methods")
    page.locator("main form[action*='/account/payment/open/'] button").first.click()
    expect(page).to_have_url(re.compile(r"/whmcs/"))
    journey.shot("whmcs-add-a-card")
    page.locator("form:has(input[name=card_number]) button").first.click()
    page.get_by_role("link", name="Back to the portal").first.click()
    expect(page).to_have_url(re.compile(r"/account/payment/"))
    journey.shot("payment-methods-with-card")


def place(journey: Journey) -> str:
    page = journey.page
    page.goto("/checkout/")
    journey.shot("checkout-complete")
    page.goto("/checkout/review/")
    page.locator("input[name=matters]").check()
    page.locator("input[name=terms]").check()
    journey.shot("review")
    journey.press("Place order")
    expect(page).to_have_url(re.compile(r"/orders/"))
    journey.shot("placed")
    found = re.search(r"/orders/[A-Z]{2}-\d{4}-\d{3}/", page.url + page.content())
    assert found, "the page after placing names the order"
    return found[0]


def order_as_json(journey: Journey, path: str) -> dict[str, object]:
    answer = journey.page.request.get(urljoin(journey.page.url, path), headers={"Accept": "application/json"})
    return dict(json.loads(answer.text()))


def test_a_new_customer_orders_and_sees_the_service_become_active_without_a_reload(page: Page, stack: Stack) -> None:
    journey = Journey(page, stack)
    sign_up(journey)
    order_a_plan(journey)
    expect(page.get_by_role("main")).to_contain_text("Payment method")
    expect(page.locator("main a[href*='/account/payment/']").first).to_be_visible()
    journey.shot("checkout-stopped")
    page.goto("/checkout/review/")
    expect(page).not_to_have_url(re.compile(r"/review/"))  # nobody gets past the gate by typing the address

    page.goto("/checkout/")
    add_an_address(journey)
    add_a_card(journey)
    path = place(journey)
    page.goto(path)
    expect(page.locator(".board-now")).to_be_visible()
    journey.shot("in-review")
    page.evaluate("window.neverReloaded = true")
    order_id = str(order_as_json(journey, path)["sf_order_id"])
    journey.desk(order_id, "approve")

    expect(page.locator(".board-now")).to_have_text("Active", timeout=30_000)
    assert page.evaluate("window.neverReloaded") is True
    expect(page.locator("[data-poll]")).to_have_count(0)
    journey.shot("active")
    until(lambda: not disagreements(stack.ready, order_id), what="Salesforce and WHMCS to agree")
    assert len(accepted_by_whmcs(stack.ready, order_id)) == 1
    until(lambda: "is active" in journey.subjects(), what="the mail that the service is active")
