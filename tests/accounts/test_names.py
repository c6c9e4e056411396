"""Names are asked for in the order of the language; browsers fill them in either way."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts import names
from accounts.models import User
from support.models import Case
from tests.accounts.conftest import new_journey, run
from tests.accounts.doubles import Salesforce, account
from tests.people import Staff, signed_in

pytestmark = pytest.mark.django_db
ORDER = {"en": ["given", "family"], "ja": ["family", "given"]}


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("page", ["account_signup", "address"])
def test_names_stand_in_the_order_of_the_language(aiko: User, page: str, language: str) -> None:
    browser = signed_in(aiko) if page == "address" else Client()
    browser.cookies["language"] = language

    shown = browser.get(reverse(page)).content.decode()
    asked = browser.post(reverse(page), {"email": "", "city": ""}).content.decode()

    fields = re.findall(r'<input[^>]*name="(given|family)_name"[^>]*autocomplete="(given|family)-name"', shown)
    assert fields == [(name, name) for name in ORDER[language]]
    named = re.findall(r'<a href="#id_(given|family)_name"', asked)
    assert named == ORDER[language], "the error summary too"


@pytest.mark.parametrize(("language", "name"), [("en", "Aiko Sato"), ("ja", "Sato Aiko")])
def test_names_are_shown_in_the_order_of_the_language(aiko: User, language: str, name: str) -> None:
    browser = signed_in(aiko)
    browser.cookies["language"] = language

    page = browser.get(reverse("account")).content.decode()

    menu = page.partition('class="menu-who"')[2].partition("</p>")[0]
    assert name in menu
    assert name in page.partition("<main")[2]


@pytest.mark.parametrize(
    ("language", "given", "family", "greeted"),
    [
        ("en", "Maria Clara", "Santos", "Maria Clara"),
        ("ja", "愛子", "山田", "山田"),
        ("en", "", "Santos", "Santos"),
        ("ja", "愛子", "", "愛子"),
        ("ja", "", "", ""),
    ],
)
def test_who_is_greeted_in_english_by_given_and_in_japanese_by_family_name(
    language: str, given: str, family: str, greeted: str
) -> None:
    assert names.addressee(User(given_name=given, family_name=family), language) == greeted


@pytest.mark.parametrize(("language", "hello"), [("en", "<h1>Hello Aiko</h1>"), ("ja", "<h1>Sato 様</h1>")])
def test_the_overview_greets_as_the_mails_do(aiko: User, language: str, hello: str) -> None:
    browser = signed_in(aiko)
    browser.cookies["language"] = language
    assert hello in browser.get(reverse("dashboard")).content.decode()


def test_support_reads_the_family_name_first(salesforce: Salesforce) -> None:
    salesforce.accounts.append(account("104882", email="somebody@else.example"))
    journey = run(new_journey(number="104882"))
    assert journey.state == "waiting_cs"
    assert "Sato Aiko <aiko@example.jp>" in Case.objects.get().description


def test_staff_read_names_in_the_order_of_their_language(aiko: User, cs_carol: Staff) -> None:
    browser = signed_in(cs_carol.user)
    for language, name in (("en", "Aiko Sato"), ("ja", "Sato Aiko")):
        browser.cookies["language"] = language
        assert name in browser.get(reverse("admin:accounts_user_changelist")).content.decode()
