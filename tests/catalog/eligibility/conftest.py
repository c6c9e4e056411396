"""Salesforce in memory, an address, and time that a test can let pass."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from catalog.eligibility import asking, sending
from catalog.models import EligibilityRequest
from integrations import gateway
from tests.catalog.eligibility.doubles import Salesforce

SHIBAURA: dict[str, Any] = {
    "postal_code": "1080023",
    "prefecture": 13,
    "city": "港区",
    "street": "芝浦3-12-8",
    "building": "グランメゾン芝浦",
    "room": "1204",
    "home": "flat",
}
MITA: dict[str, Any] = {**SHIBAURA, "postal_code": "1080073", "street": "三田2-1-1", "building": "", "home": "house"}
WAY = [
    "eligibility.claim",
    "salesforce.check_standing",
    "eligibility.choose",
    "salesforce.ask_for_check",
    "eligibility.record",
]
POINTS = [f"{name}:{moment}" for name in WAY for moment in ("before", "after")]


@pytest.fixture
def salesforce(monkeypatch: pytest.MonkeyPatch) -> Salesforce:
    double = Salesforce()
    monkeypatch.setattr(gateway, "salesforce", lambda: double)
    return double


def asked(user: User, said: dict[str, Any] = SHIBAURA) -> EligibilityRequest:
    """The request that counts after the user asked."""
    return asking.ask(user=user, said=said).request


def later() -> None:
    """Every wait and every lease is over."""
    EligibilityRequest.objects.update(lease_until=None)
    EligibilityRequest.objects.filter(state="submitted").update(next_try_at=timezone.now())


def send_now() -> dict[str, int]:
    later()
    return sending.send_due()


def fresh(request: EligibilityRequest) -> EligibilityRequest:
    return EligibilityRequest.objects.get(pk=request.pk)
