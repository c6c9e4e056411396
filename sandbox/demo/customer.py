"""The demo's customer: signs up with a customer number, adds a card at WHMCS, orders home internet."""

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote

import requests

from sandbox.demo.pages import Page, Visitor

T = TypeVar("T")
PATIENCE_S = 45
PASSWORD = "river stone and lantern light"  # noqa: S105 - printed on the terminal, lives in the demo alone


@dataclass(frozen=True)
class Person:
    email: str
    given_name: str
    family_name: str
    number: str = ""  # with a customer number: an Account that Salesforce already has


MARIA = Person("maria.santos@example.jp", "Maria", "Santos", "104882")
PLAN = "/plans/internet/"
LIVES = {
    "postal_code": "108-0023",
    "prefecture": "13",
    "city": "Minato-ku",
    "street": "Shibaura 9-9-9",
    "building": "Grand Maison",
    "room": "1204",
    "phone": "080-5521-0147",
}


def until(look: Callable[[], T], what: str) -> T:
    """The first true answer; TimeoutError names what did not come."""
    pause = threading.Event()
    for _ in range(PATIENCE_S * 10):
        if found := look():
            return found
        pause.wait(0.1)
    raise TimeoutError(f"{what} did not come within {PATIENCE_S} seconds")


class Customer:
    """`ready` is the sandbox's ready line."""

    def __init__(self, site_url: str, ready: Mapping[str, str], person: Person, *, language: str = "en") -> None:
        self.visitor = Visitor(site_url, language=language)
        self.person = person
        self._people_url = ready["people_url"]

    def sign_up(self) -> None:
        """Sign-up, the code from the mail, the wait until all three systems know the customer, and where they live."""
        person = self.person
        page = self.visitor.open("/account/signup/")
        values = {"email": person.email, "password1": PASSWORD, "terms": "on"}
        values |= {"given_name": person.given_name, "family_name": person.family_name}
        values |= {"source": "legacy", "number": person.number} if person.number else {"source": "new"}
        page = self.visitor.send(page, page.form("email", "password1"), **values)
        code = until(self._code, "The mail with the code")
        self.visitor.send(page, page.form("code"), code=code)
        until(self._is_set_up, "The customer in Salesforce and WHMCS")
        self.add_address()

    def add_address(self) -> None:
        page = self.visitor.open("/account/address/")
        self.visitor.send(page, page.form("postal_code"), **LIVES)

    def sign_in(self) -> None:
        page = self.visitor.open("/account/login/")
        self.visitor.send(page, page.form("login", "password"), login=self.person.email, password=PASSWORD)

    def _code(self) -> str:
        mails = self.mails()
        found = [re.search(r"^\s*([A-Z0-9]{3,5}-[A-Z0-9]{3,5})\s*$", mail["text"], re.MULTILINE) for mail in mails]
        codes = [match[1] for match in found if match]
        return codes[0] if codes else ""

    def mails(self) -> list[dict[str, str]]:
        """The customer's mails as the sink has them, newest first."""
        address = f"{self._people_url}/control/mail?to={quote(self.person.email)}"
        return list(requests.get(address, timeout=15).json()["messages"])

    def _is_set_up(self) -> bool:
        page = self.visitor.open("/account/setup/")
        return "data-poll" not in page.text

    def add_to_cart(self, plan_path: str) -> None:
        page = self.visitor.open(plan_path)
        self.visitor.send(page, page.form(action="/cart/"))

    def missing_payment_method(self) -> bool:
        """What the checkout says; the gate must close before there is a card."""
        return "/account/payment/" in self.visitor.open("/checkout/").text

    def add_card(self) -> None:
        """The button in the portal, then the form on WHMCS' own page."""
        page = self.visitor.open("/account/payment/")
        cards = self.visitor.send(page, page.form(action="/account/payment/open/"))
        self.visitor.send(cards, cards.form("card_number"))
        self.visitor.open("/account/payment/")

    def place_order(self) -> str:
        """Reviews and places the cart; returns the path of the order's page."""
        page = self.visitor.open("/checkout/review/")
        placed = self.visitor.send(page, page.form("cart", "seen"), **self.confirmed(page))
        if "again" in {name for form in placed.forms for name in form.values}:  # the same was ordered within a day
            placed = self.visitor.send(placed, placed.form("cart", "seen"), **self.confirmed(placed))
        found = re.search(r"/orders/[A-Z]{2,3}-\d{4}-\d{3}/", placed.text + placed.url)
        if not found:
            raise LookupError("the order was not placed: no order number on the page that followed")
        return found[0]

    @staticmethod
    def confirmed(page: Page) -> dict[str, str]:
        """Both boxes ticked: their names and the versions they stand for."""
        return dict(re.findall(r'type="checkbox" name="(terms|matters)" id="\w+" value="([^"]+)"', page.text))

    def status(self, order_path: str) -> dict[str, object]:
        return self.visitor.json(order_path)
