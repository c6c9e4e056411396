"""The two systems at the gateway, and time that a test can let pass."""

import pytest
from django.utils import timezone

from accounts import signup
from accounts.models import SignupJourney, User
from integrations import gateway
from tests.accounts.doubles import Salesforce, Whmcs
from tests.people import make_user


@pytest.fixture
def salesforce(monkeypatch: pytest.MonkeyPatch) -> Salesforce:
    double = Salesforce()
    monkeypatch.setattr(gateway, "salesforce", lambda: double)
    return double


@pytest.fixture
def whmcs(monkeypatch: pytest.MonkeyPatch) -> Whmcs:
    double = Whmcs()
    monkeypatch.setattr(gateway, "whmcs", lambda: double)
    return double


def new_journey(email: str = "aiko@example.jp", *, number: str = "") -> SignupJourney:
    """A user with a verified e-mail whose journey may run."""
    user = make_user(email)
    journey = signup.start(user=user, claimed_number=number, from_checkout=False)
    signup.begin(user)
    return fresh(journey)


def fresh(journey: SignupJourney) -> SignupJourney:
    return SignupJourney.objects.select_related("user").get(pk=journey.pk)


def run(journey: SignupJourney) -> SignupJourney:
    """One run, as if every wait and every lease were over."""
    SignupJourney.objects.filter(pk=journey.pk).update(next_try_at=timezone.now(), lease_until=None)
    signup.advance(journey.pk)
    return fresh(journey)


def person(journey: SignupJourney) -> User:
    return User.objects.get(pk=journey.user_id)
