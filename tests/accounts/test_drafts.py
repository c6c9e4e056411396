"""A form that was sent after the session had ended is there again after signing in, for whom it belongs to."""

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Address, User
from accounts.security import sessions
from catalog.models import EligibilityRequest
from tests.people import PASSWORD, signed_in

pytestmark = pytest.mark.django_db
TYPED = {"postal_code": "108-0023", "prefecture": "13", "city": "港区", "street": "芝浦 canary 5-5-5", "room": "909"}
PAGE = reverse("address")


@pytest.fixture(autouse=True)
def _nothing_counted(db: None) -> None:
    cache.clear()


def open_form(browser: Client, page: str = PAGE) -> dict[str, str]:
    """What the page's form carries besides what is typed."""
    field = re.search(r'name="draft_of" value="([^"]+)"', browser.get(page).content.decode())
    assert field
    return {"draft_of": field[1]}


def ends(browser: Client, user: User, how: str) -> None:
    if how == "signed out from elsewhere":
        sessions.end(user.pk)
    else:
        UserSession.objects.update(last_seen_at=timezone.now() - timedelta(days=15))


def sign_in(browser: Client, user: User, page: str) -> Any:
    return browser.post(f"{reverse('account_login')}?next={page}", {"login": user.email, "password": PASSWORD})


@pytest.mark.parametrize("how", ["signed out from elsewhere", "idle for two weeks"])
def test_it_comes_back_after_signing_in_and_nothing_is_saved(aiko: User, how: str) -> None:
    browser = signed_in(aiko)
    hidden = open_form(browser)
    ends(browser, aiko, how)

    late = browser.post(PAGE, TYPED | hidden, headers={"referer": f"http://testserver{PAGE}"})
    assert late.url == f"{reverse('account_login')}?next={PAGE}"  # type: ignore[attr-defined]
    assert sign_in(browser, aiko, PAGE).url == PAGE
    page = browser.get(PAGE).content.decode()

    assert "What you had typed is back. It is not saved yet." in page
    assert all(f'value="{value}"' in page for value in ("芝浦 canary 5-5-5", "909", "108-0023"))
    assert '<option value="13" selected>' in page
    assert not Address.objects.exists()
    assert "芝浦 canary" not in browser.get(PAGE).content.decode(), "once"


def test_the_address_check_takes_part_too(aiko: User) -> None:
    browser, page = signed_in(aiko), reverse("eligibility")
    hidden = open_form(browser, page)
    ends(browser, aiko, "idle for two weeks")

    late = browser.post(page, TYPED | hidden | {"home": "flat"}, headers={"referer": f"http://testserver{page}"})
    assert late.url == f"{reverse('account_login')}?next={page}"  # type: ignore[attr-defined]
    sign_in(browser, aiko, page)

    shown = browser.get(page).content.decode()
    assert 'value="芝浦 canary 5-5-5"' in shown
    assert re.search(r'value="flat"[^>]* checked', shown)
    assert not EligibilityRequest.objects.exists()


def test_what_a_visitor_may_send_needs_no_signing_in_and_is_no_draft(aiko: User) -> None:
    browser, page = signed_in(aiko), reverse("eligibility")
    hidden = open_form(browser, page)
    ends(browser, aiko, "signed out from elsewhere")

    sent = browser.post(page, TYPED | hidden | {"home": "flat"}, headers={"referer": f"http://testserver{page}"})

    assert EligibilityRequest.objects.get().street == "芝浦 canary 5-5-5"
    assert str(EligibilityRequest.objects.get().ref) in sent.url  # type: ignore[attr-defined]
    assert "draft" not in browser.session
    assert 'name="draft_of"' not in Client().get(page).content.decode()


def test_nobody_else_at_that_browser_sees_it(aiko: User, ben: User) -> None:
    browser = signed_in(aiko)
    hidden = open_form(browser)
    sessions.end(aiko.pk)
    browser.post(PAGE, TYPED | hidden)

    sign_in(browser, ben, PAGE)

    assert "canary" not in browser.get(PAGE).content.decode()
    assert "draft" not in browser.session


def test_it_lies_where_nobody_reads_it(aiko: User) -> None:
    browser = signed_in(aiko)
    hidden = open_form(browser)
    sessions.end(aiko.pk)

    answer = browser.post(PAGE, TYPED | hidden)

    assert "canary" not in answer.url  # type: ignore[attr-defined]
    kept = [str(session.get_decoded()) for session in Session.objects.all()]
    assert [text for text in kept if "draft" in text]
    assert not [text for text in kept if "canary" in text or "108-0023" in text]


@pytest.mark.parametrize("hidden", [{}, {"draft_of": "1"}, {"draft_of": "eyJ1IjoxfQ:forged:signature"}])
def test_a_form_that_does_not_say_whose_it_is_is_not_kept(aiko: User, hidden: dict[str, str]) -> None:
    browser = Client()

    browser.post(PAGE, TYPED | hidden)

    assert "draft" not in browser.session


def test_a_form_of_any_length_is_not_kept(aiko: User) -> None:
    browser = signed_in(aiko)
    hidden = open_form(browser)
    sessions.end(aiko.pk)

    browser.post(PAGE, TYPED | hidden | {"city": "x" * 20_000})

    assert "draft" not in browser.session


def test_a_form_from_before_signing_in_again_in_another_window_comes_back(aiko: User, ben: User) -> None:
    browser = signed_in(aiko, enforce_csrf_checks=True)
    hidden = open_form(browser)
    page = f"{PAGE}?next=/checkout/"
    for stale in ({"csrfmiddlewaretoken": "x" * 64}, {}):
        late = browser.post(PAGE, TYPED | hidden | stale, headers={"referer": f"http://testserver{page}"})
        assert late["Location"] == page
        text = browser.get(page).content.decode()
        assert "You have signed in again since this page was opened, so nothing was sent." in text
        assert 'value="芝浦 canary 5-5-5"' in text
        assert not Address.objects.exists()

    assert browser.post(PAGE, TYPED).status_code == 403  # what does not say whose it is, and what is another's
    other = signed_in(ben, enforce_csrf_checks=True)
    assert other.post(PAGE, TYPED | hidden).status_code == 403
    assert "draft" not in other.session
