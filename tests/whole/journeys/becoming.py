"""Becoming a customer: sign-up, address, payment method, identity papers."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import expect

from tests.accounts.identity.files import photo
from tests.whole.journeys.outside import Outside
from tests.whole.journeys.people import PASSWORD, Person
from tests.whole.journeys.window import PATIENCE_MS, Window

RUNNING = "#account-setup[data-poll]"


@contextmanager
def whmcs_keeps_waiting(outside: Outside) -> Iterator[None]:
    """Within, no new client is made there."""
    rule = {"system": "whmcs", "operation": "AddClient", "kind": "hold", "parameters": {"at": "before"}}
    made = outside.buttons.control("/control/faults", rule)
    yield
    outside.buttons.delete(f"/control/faults/{made['id']}")


def sign_up(window: Window, outside: Outside, person: Person) -> None:
    """From the form, which is open, to the page that says that the account is ready; it gets there by itself."""
    window.look("sign-up")
    window.choose("source", "legacy" if person.number else "new")
    if person.number:
        window.fill(number=person.number)
    window.fill(given_name=person.given_name, family_name=person.family_name, email=person.email, password1=PASSWORD)
    window.tick("terms")
    window.press("main form .button", "code")
    window.fill(code=outside.code())
    with whmcs_keeps_waiting(outside):
        window.press("main form .button", "setting-up")
        expect(window.page.locator(RUNNING)).to_have_count(1)
    expect(window.page.locator(RUNNING)).to_have_count(0, timeout=PATIENCE_MS)
    window.look("account-ready")


def add_address(window: Window) -> None:
    """The form is open. The postal code fills in what it knows: by itself, or by a button."""
    window.fill(postal_code="108-0023")
    if not window.cell.script:
        window.press("button[name=find]")
    expect(window.page.locator("[name=prefecture]")).to_have_value("13")
    expect(window.page.locator("[name=city]")).to_have_value("港区")
    window.look("address-filled-in")
    window.fill(street="芝浦9-9-9", building="グランメゾン", room="1204", phone="080-5521-0147")
    window.press("main form .button:not(.second)")


def add_card(window: Window) -> None:
    """The payment page is open. Ends there, with a card."""
    window.look("payment-methods")
    window.press("main form[action*='/payment/open/'] button")
    window.is_at(r"/whmcs/")
    window.shot("billing-service")
    window.press("form:has(input[name=card_number]) button")
    window.shot("billing-service-card-added")
    window.page.locator("a.button", has_text="Back to the portal").first.click()
    window.is_at(r"/account/payment/")
    window.look("payment-method-added")


def send_papers(window: Window, folder: Path) -> None:
    """The page about identity is open. A file that is none is refused first; then both sides of a residence card."""
    window.look("identity-which")
    window.choose("paper", "residence_card")
    window.press("main form[action*='/identity/paper/'] .button", "identity-files")
    card, note = folder / "card.jpg", folder / "note.jpg"
    card.write_bytes(photo())
    note.write_text("This is not a picture.")
    upload(window, "front", note)
    window.look("identity-refused-file")
    upload(window, "front", card)
    window.look("identity-front")
    upload(window, "back", card)
    window.look("identity-both-sides")
    window.tick("consent")
    window.press("main form[action*='/identity/send/'] .button", "identity-sent")


def upload(window: Window, side: str, file: Path) -> None:
    form = window.page.locator(f"form:has(input[name=side][value={side}])")
    form.locator("input[type=file]").set_input_files(file)
    form.locator(".button").click()
    window.page.wait_for_load_state()
