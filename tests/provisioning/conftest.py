"""Provisioning with the outside world in memory."""

import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from integrations import gateway
from journal.models import RemoteCall
from provisioning import worker
from provisioning.attempts import take_in
from provisioning.models import Attempt, InboxEvent
from tests.provisioning.doubles import ORDER, SalesforceDouble, WhmcsDouble, key, order
from tests.provisioning.esim_double import ESimDouble, esim_order

_uuids = itertools.count(1)


@pytest.fixture
def whmcs(monkeypatch: pytest.MonkeyPatch) -> Iterator[WhmcsDouble]:
    double = WhmcsDouble()
    monkeypatch.setattr(gateway, "whmcs", lambda: double)
    cache.clear()
    yield double
    cache.clear()


@pytest.fixture
def salesforce(monkeypatch: pytest.MonkeyPatch) -> SalesforceDouble:
    double = SalesforceDouble(orders={ORDER: order()})
    monkeypatch.setattr(gateway, "salesforce", lambda: double)
    return double


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> ESimDouble:
    """The eSIM provider."""
    double = ESimDouble()
    monkeypatch.setattr(gateway, "esim", lambda: double)
    return double


@pytest.fixture
def esim_ordered(salesforce: SalesforceDouble, whmcs: WhmcsDouble, provider: ESimDouble) -> None:
    """The order of the tests has an eSIM."""
    salesforce.orders[ORDER] = esim_order()


def an_event(idem_key: str = "", *, order_id: str = ORDER, **other: Any) -> InboxEvent:
    """An event as the intake stores it, not yet judged."""
    return InboxEvent(event_uuid=f"uuid-{next(_uuids)}", topic="t", order_id=order_id, idem_key=idem_key, **other)


def arrives(idem_key: str = "", *, order_id: str = ORDER, **other: Any) -> InboxEvent:
    """The event comes in; returns its row as judged."""
    event = an_event(idem_key, order_id=order_id, **other)
    with transaction.atomic():
        take_in(event=event)
    event.refresh_from_db()
    return event


def arrive_and_run(number: int = 1) -> Attempt:
    """The n-th request of the order comes in and a worker works everything off; the attempt as it then stands."""
    arrives(key(number))
    worker.work_off()
    return Attempt.objects.get(idem_key=key(number))


def ask_again(salesforce: SalesforceDouble, number: int = 2) -> Attempt:
    """An operator sets the order to Activating; the event comes in and is worked off."""
    salesforce.request_provisioning(ORDER)
    return arrive_and_run(number)


def shown_error(salesforce: SalesforceDouble) -> str:
    """The code that Salesforce shows."""
    return salesforce.errors.get(ORDER, "").partition(":")[0]


@pytest.fixture
def pass_quarantine() -> Callable[[], None]:
    def now_over() -> None:
        past = timezone.now() - timedelta(seconds=1)
        RemoteCall.objects.update(deadline_at=past, quarantine_until=past)
        Attempt.objects.update(check_at=None)

    return now_over
