"""A shop that sells, and the two outside systems in memory."""

import pytest

from catalog.sync import sync
from integrations import gateway
from tests.orders.doubles import Salesforce, Whmcs


@pytest.fixture
def salesforce(db: None, monkeypatch: pytest.MonkeyPatch) -> Salesforce:
    """In memory; the portal's mirror holds its catalogue."""
    double = Salesforce()
    monkeypatch.setattr(gateway, "salesforce", lambda: double)
    sync()
    return double


@pytest.fixture
def whmcs(monkeypatch: pytest.MonkeyPatch) -> Whmcs:
    double = Whmcs()
    monkeypatch.setattr(gateway, "whmcs", lambda: double)
    return double
