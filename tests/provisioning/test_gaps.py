"""After the position was lost Salesforce is compared with the inbox at once, not when the clock says so."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from integrations import failpoints, gateway
from integrations.errors import Unavailable
from journal.models import Round
from provisioning import cursor, jobs, tasks
from provisioning.models import EventCursor, Task
from tests.provisioning.responses import TOPIC, lead_now

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def comparisons(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """One entry for each time Salesforce was asked what it waits for."""
    asked: list[object] = []

    def activating_orders(*, before: object) -> list[object]:
        asked.append(before)
        return []

    monkeypatch.setattr(gateway, "salesforce", lambda: SimpleNamespace(activating_orders=activating_orders))
    return asked


def lose_the_position() -> None:
    cursor.position_lost(topic=TOPIC, leader_epoch=lead_now(), error="subscription.fetch.replayid.corrupted")


def let_pass(seconds: float) -> None:
    began = timezone.now() - timedelta(seconds=seconds)
    Round.objects.update(started_at=began, succeeded_at=began)


def test_a_lost_position_is_reconciled_at_once_although_a_round_has_just_run(comparisons: list[object]) -> None:
    jobs.reconcile()
    let_pass(60)
    jobs.reconcile()
    assert len(comparisons) == 1
    lose_the_position()
    jobs.reconcile_gap()
    assert len(comparisons) == 2


def test_once_is_enough(comparisons: list[object]) -> None:
    lose_the_position()
    jobs.reconcile_gap()
    EventCursor.objects.update(gap_at=timezone.now() - timedelta(minutes=3))
    let_pass(120)
    jobs.reconcile_gap()
    assert len(comparisons) == 1


def test_without_a_gap_nothing_is_asked(comparisons: list[object]) -> None:
    jobs.reconcile_gap()
    lead_now()
    jobs.reconcile_gap()
    assert comparisons == []


def test_a_comparison_that_failed_or_began_earlier_does_not_count(
    comparisons: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_the_position()
    with monkeypatch.context() as away:
        away.setattr(gateway, "salesforce", _away)
        with pytest.raises(Unavailable):
            jobs.reconcile_gap()
    Round.objects.update(started_at=timezone.now() - timedelta(minutes=1), succeeded_at=timezone.now())
    jobs.reconcile_gap()
    assert len(comparisons) == 1


def _away() -> Callable[[], None]:
    raise Unavailable("salesforce", "query", "refused")


def test_a_lost_position_asks_a_person_once_each_time() -> None:
    epoch = lead_now()
    for _twice in range(2):
        for _each in range(2):
            cursor.position_lost(topic=TOPIC, leader_epoch=epoch, error="replayid.corrupted")
        task = Task.objects.get(state="open")
        assert (task.kind, TOPIC in tasks.tell(task).what_happened) == ("lost_position", True)
        tasks.close(task, by="carol@example.jp", reason="nothing is missing")
    assert Task.objects.count() == 2


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_death_while_the_position_is_given_up_forgets_neither_it_nor_the_task(side: str) -> None:
    epoch = lead_now()
    with failpoints.arm(f"cursor.position_lost:{side}=raise"), pytest.raises(failpoints.Died):
        cursor.position_lost(topic=TOPIC, leader_epoch=epoch, error="replayid.corrupted")
    assert Task.objects.exists() == (EventCursor.objects.get(topic=TOPIC).gap_at is not None) == (side == "after")
