"""The account itself: a forgotten password, another address, a second factor, devices, one's data, closing."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from allauth.mfa.totp.internal.auth import hotp_value, yield_hotp_counters_from_time
from playwright.sync_api import expect

from sandbox.demo.customer import Customer
from sandbox.demo.customer import Person as Elsewhere
from sandbox.demo.stack import Stack
from tests.whole.journeys import cells
from tests.whole.journeys.conftest import Setting
from tests.whole.journeys.outside import Outside
from tests.whole.journeys.people import BRAND, PASSWORD, Person
from tests.whole.journeys.window import Window

pytestmark = [pytest.mark.whole, pytest.mark.browser, pytest.mark.xdist_group("whole")]
SEND, SIGN_IN = "main form .button", "main form[action*='/account/login/'] .button"
PASSKEY = "#mfa_webauthn_authenticate"
RESET = "/account/password/reset/key/"


@cells.travelled_in()
def test_everything_about_an_account_can_be_changed(journey: Callable[[str], Setting], stack: Stack) -> None:
    window, outside, person = journey("account")
    same = Elsewhere(person.email, person.given_name, person.family_name)
    phone = Customer(stack.site_url, stack.ready, same, language=window.cell.language)
    phone.sign_up()
    sign_in_with_a_new_password(window, outside, person)
    person = change_address(window, outside, person)
    change_language_and_back(window)
    sign_another_device_out(window, phone, person)
    turn_codes_on_and_sign_in_with_one(window, outside, person)
    if window.cell.script:  # there are no passkeys without
        add_a_passkey_and_sign_in_with_it(window, person)
    take_data(window, person)
    ask_for_closing_and_stay(window, outside, person)


def sign_in_with_a_new_password(window: Window, outside: Outside, person: Person) -> None:
    window.open("/account/login/", "sign-in")
    window.fill(login=person.email, password="a wrong one")
    window.press(SIGN_IN, "sign-in-refused")
    window.follow("/account/password/reset/", "forgotten")
    window.fill(email=person.email)
    window.press(SEND, "forgotten-sent")
    letter = outside.mail("Set a new %(brand)s password", brand=BRAND)
    window.letter(letter, "forgotten")
    window.open(re.findall(rf"{RESET}\S+", letter["text"])[0], "new-password")
    window.fill(password1="password", password2="password")
    window.press(SEND, "new-password-refused")
    window.fill(password1=PASSWORD, password2=PASSWORD)
    window.press(SEND, "new-password-saved")
    window.follow("/account/login/")
    sign_in(window, person)
    window.is_at(r"/overview/$")
    window.look("overview")


def sign_in(window: Window, person: Person) -> None:
    window.fill(login=person.email, password=PASSWORD)
    window.press(SIGN_IN)


def change_address(window: Window, outside: Outside, person: Person) -> Person:
    """The code goes to the new address, word of it to the old one."""
    window.open("/account/", "account")
    window.follow("/account/email/", "e-mail-address")
    changed = replace(person, email=f"new.{person.email}")
    window.fill(email=changed.email)
    window.press("button[name=action_add]", "is-it-you")
    window.fill(password=PASSWORD)
    window.press(SEND, "e-mail-address-code")
    window.fill(code=outside.code(to=changed.email))
    window.press(SEND, "e-mail-address-changed")
    notice = outside.mail("Your e-mail address was changed", to=person.email)
    window.letter(notice, "e-mail-address-changed")
    return changed


def change_language_and_back(window: Window) -> None:
    """Of the mails and of the page."""
    window.open("/account/mails/", "language-and-mails")
    window.press("header [name=language]")
    other = "en" if window.cell.language == "ja" else "ja"
    expect(window.page.locator("html")).to_have_attribute("lang", other)
    window.press("header [name=language]")
    expect(window.page.locator("html")).to_have_attribute("lang", window.cell.language)


def sign_another_device_out(window: Window, phone: Customer, person: Person) -> None:
    page = phone.visitor.open("/account/login/")
    phone.visitor.send(page, page.form("login", "password"), login=person.email, password=PASSWORD)
    assert phone.visitor.open("/overview/").url.endswith("/overview/")
    window.open("/account/sessions/", "devices")
    devices = window.page.locator("main .rows > li")
    expect(devices).to_have_count(2)
    window.press("main .rows form .button", "devices-one-signed-out")
    expect(devices).to_have_count(1)
    assert "/account/login/" in phone.visitor.open("/overview/").url


def turn_codes_on_and_sign_in_with_one(window: Window, outside: Outside, person: Person) -> None:
    window.open("/account/2fa/", "security")
    window.follow("/account/2fa/totp/activate/", "codes-from-an-app")
    secret = window.page.locator("#totp-key").inner_text()
    window.fill(code=f"{hotp_value(secret, next(yield_hotp_counters_from_time())):06d}")
    window.press(SEND, "recovery-codes")
    recovery = window.page.locator("main .rows code").first.inner_text()
    window.letter(outside.mail("Codes from an app were turned on", to=person.email), "codes-turned-on")
    window.open("/account/2fa/", "security-with-codes")
    sign_out(window)
    window.open("/account/login/")
    sign_in(window, person)
    expect(window.page.locator(PASSKEY)).to_have_count(0)  # there is none yet
    window.look("one-more-step")
    window.fill(code=recovery)
    window.press(SEND)
    window.is_at(r"/overview/$")


def add_a_passkey_and_sign_in_with_it(window: Window, person: Person) -> None:
    """As the second step after the password, then alone."""
    window.has_a_fingerprint_reader()
    window.open("/account/2fa/webauthn/add/")
    window.fill(password=PASSWORD)
    window.press(SEND, "passkey")
    window.fill(name="Laptop")
    window.press("#mfa_webauthn_add")
    window.is_at(r"/account/2fa/$")
    window.look("passkeys")
    sign_out(window)
    window.open("/account/login/")
    sign_in(window, person)
    window.look("one-more-step-with-a-passkey")
    window.press(PASSKEY)
    window.is_at(r"/overview/$")
    sign_out(window)
    window.open("/account/login/")
    window.press("#passkey_login")
    window.is_at(r"/overview/$")


def sign_out(window: Window) -> None:
    window.open("/account/logout/")
    window.press(SEND)


def take_data(window: Window, person: Person) -> None:
    window.open("/account/data/", "your-data")
    window.press("main form[action*='/data/download/'] button", "is-it-you-before-data")
    window.fill(password=PASSWORD)
    with window.page.expect_download() as started:
        window.page.locator(SEND).first.click()
    assert person.email in Path(started.value.path()).read_text()


def ask_for_closing_and_stay(window: Window, outside: Outside, person: Person) -> None:
    window.open("/account/data/")
    window.follow("/account/close/", "close-account")
    window.press("main form .button.danger", "closing-asked")
    window.letter(outside.mail("We have your request to close your account", to=person.email), "closing-asked")
    window.press("main form[action*='/close/take-back/'] button", "account-stays")
    expect(window.page.locator("main a[href*='/account/close/']")).to_be_visible()
