"""Every e-mail in both languages, as the portal really writes it: nothing missing, nothing foreign, links that lead."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.template import Engine

from accounts.security import notices
from notifications.models import Email
from notifications.rendering import Rendered, render
from tests.notifications.every_mail import write_all
from tests.orders.conftest import salesforce, whmcs

__all__ = ["salesforce", "whmcs"]
pytestmark = pytest.mark.django_db(transaction=True)

MAILS = Path(__file__).resolve().parents[2] / "templates/email"
TEMPLATES = {path.name.partition(".")[0] for path in MAILS.glob("*.subject.txt")}
MISSING = "MISSING[%s]"
GAP = re.compile(r"MISSING\[|\bNone\b(?! of our)")  # "none of our plans" is English
LINK = re.compile(r"""href="([^"]*)"|(https?://[^\s"<]+)""")
NOT_TRANSLATED = ("Sonix", "Wi-Fi", "iPhone", "Safari", "VPN", "SIM", "eSIM", "GB", "SX", "TEL")  # names, not words


@pytest.fixture(autouse=True)
def what_is_missing_is_shown() -> Iterator[None]:
    engine = Engine.get_default()
    engine.string_if_invalid, before = MISSING, engine.string_if_invalid
    yield
    engine.string_if_invalid = before


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_mail_can_be_sent_as_it_is(language: str, salesforce: Any, whmcs: Any) -> None:
    write_all(language)
    emails = list(Email.objects.order_by("pk"))
    assert {email.template for email in emails} == TEMPLATES
    assert {email.context["event"] for email in emails if "event" in email.context} == notices.EVENTS
    assert {email.language for email in emails} == {language}

    faults = {f"{email.pk} {email.template}": _faults(email, render(email)) for email in emails}

    assert {name: found for name, found in faults.items() if found} == {}


def _faults(email: Email, told: Rendered) -> list[str]:
    """What keeps this mail from going out, in words."""
    found = [
        f"{name}: {words}"
        for name, words in vars(told).items()
        if "MISSING[" in words or re.search(r"\bNone\b(?! of our)", words)
    ]
    found += [f"template code in {name}" for name, words in vars(told).items() if re.search(r"{[{%#]", words)]
    found += _of_the_words(email, told)
    for link in _links(told):
        if not link.startswith("http://portal.test/") and link != "http://portal.test":
            found.append(f"a link that leads nowhere: {link}")
    return found


def _of_the_words(email: Email, told: Rendered) -> list[str]:
    found = [] if told.subject.strip() and len(told.subject.splitlines()) == 1 else ["the subject is not one line"]
    greeting = {"en": "Hello Maria Clara,", "ja": "山田 様"}[email.language]
    if email.template != "unknown_account" and not (told.text.startswith(greeting) and greeting in told.html):
        found.append(f"not greeted as {greeting}")
    if "\n\n\n" in told.text or re.search(r"[ \t]\n", told.text):
        found.append("the text part has gaps")
    if "<img" in told.html or "<script" in told.html:
        found.append("something to be fetched or run")
    if email.language == "ja":
        found += [
            f"English: {words}" for part in (told.subject, told.text, _seen(told.html)) for words in _english(part)
        ]
    return found


def _links(told: Rendered) -> list[str]:
    return ["".join(pair) for part in (told.text, told.html) for pair in LINK.findall(part)]


def _seen(html: str) -> str:
    return unescape(re.sub(r"<[^>]+>", " ", html))


def _english(text: str) -> list[str]:
    """Words that are no names, in a Japanese text: three letters and more."""
    without = re.sub(r"https?://\S+|\S+@\S+|SX-[\w-]+|K7M4QX", " ", text)
    return [word for word in re.findall(r"[A-Za-z][A-Za-z-]{2,}", without) if word not in NOT_TRANSLATED]
