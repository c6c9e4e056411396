"""A host whose clock is an hour wrong decides nothing differently: the database is asked (reliability.md B13)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import django_rq
import pytest
from django.utils import timezone

from journal.calls import database_clock
from journal.models import RemoteCall
from provisioning import pause, sweepers, worker
from provisioning.claims import claim
from provisioning.models import Attempt, Outbox, Pause
from tests.provisioning.conftest import arrive_and_run, arrives
from tests.provisioning.doubles import ORDER, SalesforceDouble, WhmcsDouble, key, no_answer

pytestmark = pytest.mark.django_db(transaction=True)
OTHER = "801000000000002AAA"


@pytest.fixture(params=[-1, 1], ids=["an hour slow", "an hour fast"])
def wrong_clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> timedelta:
    """What this process believes the time to be, apart from the database."""
    off = timedelta(hours=request.param)
    monkeypatch.setattr(timezone, "now", lambda: datetime.now(UTC) + off)
    return off


def test_an_order_is_provisioned_and_reported_at_once(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, wrong_clock: timedelta
) -> None:
    assert arrive_and_run().state == "PROVISIONED"
    assert salesforce.orders[ORDER].activation_status == "Provisioned"
    assert Outbox.objects.get().state == "SENT"


def test_a_live_attempt_keeps_its_lease_and_a_dead_one_does_not(wrong_clock: timedelta) -> None:
    arrives(key(1))
    held = claim()
    assert held is not None
    assert sweepers.end_interrupted() == 0
    Attempt.objects.update(lease_until=database_clock() - timedelta(seconds=1))
    assert sweepers.end_interrupted() == 1


def test_a_call_without_answer_is_quarantined_for_as_long_as_ever(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, wrong_clock: timedelta
) -> None:
    whmcs.trouble("add_order", no_answer())
    assert arrive_and_run().state == "UNKNOWN"
    assert sweepers.resolve_unknown() == 0
    past = database_clock() - timedelta(seconds=1)
    RemoteCall.objects.update(deadline_at=past, quarantine_until=past)
    Attempt.objects.update(check_at=None)
    assert sweepers.resolve_unknown() == 1


def test_a_wake_up_that_was_lost_is_repeated_in_its_time(wrong_clock: timedelta, settings: Any) -> None:
    arrives(key(1))
    settings.SWEEP_S = 60
    assert sweepers.wake_forgotten() == 0
    settings.SWEEP_S = 0
    assert sweepers.wake_forgotten() == 1
    assert django_rq.get_queue("provisioning").count == 1


def test_attempts_are_claimed_in_the_order_in_which_they_arrived(
    monkeypatch: pytest.MonkeyPatch, wrong_clock: timedelta
) -> None:
    """The second one comes in by a host whose clock is right."""
    arrives(key(1))
    monkeypatch.undo()
    arrives(key(1, OTHER), order_id=OTHER)
    claimed = [each.attempt.order_id for each in (claim(), claim()) if each is not None]
    assert claimed == [ORDER, OTHER]


@pytest.mark.parametrize(("minutes", "stands"), [(30, True), (-30, False)])
def test_a_pause_ends_when_it_was_said_to_end(minutes: int, stands: bool, wrong_clock: timedelta) -> None:
    pause.pause(by="carol", reason="WHMCS is moved", until=database_clock() + timedelta(minutes=minutes))
    assert pause.is_paused() is stands
    arrives(key(1))
    assert (claim() is None) is stands


def test_the_breaker_lets_one_through_a_minute(wrong_clock: timedelta) -> None:
    for _each in range(pause.BREAKS_AFTER):
        pause.note_unreachable()
    arrives(key(1))
    assert worker.work_off() == 0
    Pause.objects.update(breaker_until=database_clock() - timedelta(seconds=1))
    assert claim() is not None
