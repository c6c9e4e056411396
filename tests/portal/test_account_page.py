"""All settings on one page, each with its present state."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse

from accounts import closing
from accounts.models import Address, CustomerLink, User
from portal.account_page import LINES
from tests.people import make_user, signed_in

pytestmark = pytest.mark.django_db


def states(user: User) -> dict[str, str]:
    page = signed_in(user).get(reverse("account"))
    return {setting.url: setting.state for setting in page.context["settings"]}


def test_each_line_leads_to_its_page(aiko: User) -> None:
    browser = signed_in(aiko)
    page = browser.get(reverse("account")).content.decode()
    for _name, view, _state in LINES:
        assert f'href="{reverse(view)}"' in page, view
    assert "Your customer number is" in page


def test_it_says_what_is_set_and_what_is_not(aiko: User) -> None:
    before = states(aiko)
    assert before[reverse("address")] == "Aiko Sato, no address yet"
    assert before[reverse("payment_methods")] == "Not looked at yet"
    assert before[reverse("mfa_index")] == "0 passkeys, codes from an app: off"
    assert before[reverse("your_data")] == "The account is open"

    Address.objects.create(user=aiko, postal_code="1080023", prefecture=13, city="港区", street="芝浦3-12-8")
    CustomerLink.objects.update(has_payment_method=True)
    Authenticator.objects.create(user=aiko, type=Authenticator.Type.TOTP, data={})
    User.objects.update(news_mails=True)
    closing.ask(aiko)

    after = states(aiko)
    assert after[reverse("address")] == "Aiko Sato, 108-0023 東京都 港区"
    assert after[reverse("payment_methods")] == "On file"
    assert after[reverse("mfa_index")] == "0 passkeys, codes from an app: on"
    assert after[reverse("mail_preferences")] == "English, news by e-mail: on"
    assert after[reverse("devices")] == "2 devices are signed in"
    assert after[reverse("your_data")] == "You asked us to close the account"


@pytest.mark.parametrize(
    ("seen", "words"), [("expiring", "The card expires soon"), ("expired", "The card has expired")]
)
def test_it_warns_of_the_card(aiko: User, seen: str, words: str) -> None:
    CustomerLink.objects.update(has_payment_method=True, card_warning=seen)

    assert states(aiko)[reverse("payment_methods")] == words


def test_who_is_no_customer_yet_sees_nothing_of_the_account_they_claim(visitor: Client) -> None:
    user = make_user("eve@example.jp")
    CustomerLink.objects.create(
        user=user, state="provisional", sf_account_id="001X", sf_account_no="104882", identity_status="Verified"
    )

    page = signed_in(user).get(reverse("account")).content.decode()

    assert "104882" not in page.replace(" ", "")
    assert "Confirmed" not in page
    assert "We are comparing your details by hand" in page


def test_the_menu_leads_there_and_to_the_devices(aiko: User) -> None:
    page = signed_in(aiko).get(reverse("contact")).content.decode()
    menu = page.partition('class="menu-panel"')[2].partition("</details>")[0]

    assert f'href="{reverse("account")}"' in menu
    assert f'href="{reverse("devices")}"' in menu


@pytest.mark.parametrize("language", ["en", "ja"])
def test_queries_of_the_page(aiko: User, language: str, django_assert_max_num_queries: Any) -> None:
    browser = signed_in(aiko)
    browser.cookies["language"] = language
    browser.get(reverse("account"))
    # session, user, its limits, link, address, second factors, devices, closing, cart
    with django_assert_max_num_queries(10):
        browser.get(reverse("account"))


def test_the_page_of_the_second_factor_names_each_passkey_and_leads_to_its_removal(aiko: User) -> None:
    for name in ("Phone", "Desk"):
        Authenticator.objects.create(user=aiko, type="webauthn", data={"name": name, "credential": {}})
    page = signed_in(aiko).get(reverse("mfa_index")).content.decode()
    for key in Authenticator.objects.filter(user=aiko):
        assert key.wrap().name in page
        assert reverse("mfa_remove_webauthn", args=[key.pk]) in page
