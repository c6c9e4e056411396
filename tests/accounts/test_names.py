"""Names are asked for in the order of the language; browsers fill them in either way."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.people import signed_in

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
