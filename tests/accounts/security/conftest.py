"""Signing in as people do, and time that passes in rows."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from tests.people import PASSWORD, signed_in


@pytest.fixture(autouse=True)
def _fresh_limits(db: None) -> None:
    """What was counted by an earlier test of a whole transaction does not count here."""
    cache.clear()


def sign_in(
    user: User, *, password: str = PASSWORD, browser: Client | None = None, address: str = "203.0.113.9"
) -> Any:
    """The answer to the sign-in form; `.client` is the browser."""
    browser = browser or Client()
    return browser.post(reverse("account_login"), {"login": user.email, "password": password}, REMOTE_ADDR=address)


def browser_of(user: User) -> Client:
    """A browser in which `user` is signed in, without the work of hashing a password."""
    return signed_in(user)


def confirmed(user: User) -> Client:
    """Signed in, and the password given once more."""
    browser = browser_of(user)
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return browser


def passed(user: User, *, idle: timedelta = timedelta(), whole: timedelta = timedelta()) -> None:
    """As if the user's sessions had lain idle, or lasted, that long."""
    now = timezone.now()
    UserSession.objects.filter(user=user).update(last_seen_at=now - idle, created_at=now - max(idle, whole))


def is_signed_in(browser: Client) -> bool:
    return browser.get(reverse("account_email")).status_code == 200
