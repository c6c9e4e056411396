"""Facts outlive attempts; rounds run one at a time and not too often."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from journal import facts, rounds
from journal.models import RemoteFact, Round
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)
SUBJECT, KIND = "order:1", "whmcs_order"


def live_id() -> str | None:
    fact = facts.recall(SUBJECT, KIND)
    return fact.remote_id if fact else None


def test_what_is_remembered_is_recalled_and_remembering_again_changes_nothing() -> None:
    facts.remember(SUBJECT, KIND, "5", fingerprint="f")
    facts.remember(SUBJECT, KIND, "5")
    assert RemoteFact.objects.get().fingerprint == "f"
    assert live_id() == "5"


def test_a_second_live_one_is_a_conflict_unless_it_replaces_the_first() -> None:
    facts.remember(SUBJECT, KIND, "5")
    with pytest.raises(facts.FactConflict):
        facts.remember(SUBJECT, KIND, "6")
    facts.replace(SUBJECT, KIND, "6")
    assert (live_id(), facts.forgotten(SUBJECT, KIND)) == ("6", frozenset({"5"}))


def test_what_belongs_to_another_subject_is_a_conflict() -> None:
    facts.remember("order:2", KIND, "5")
    with pytest.raises(facts.FactConflict):
        facts.remember(SUBJECT, KIND, "5")
    with pytest.raises(facts.FactConflict):
        facts.forget(SUBJECT, KIND, "5")


def test_what_is_forgotten_counts_no_longer_and_can_come_back() -> None:
    facts.forget(SUBJECT, KIND, "5")
    assert (live_id(), facts.forgotten(SUBJECT, KIND)) == (None, frozenset({"5"}))
    facts.replace(SUBJECT, KIND, "5")
    assert live_id() == "5"


def test_a_round_runs_and_adds_up_what_it_did() -> None:
    assert rounds.run("r", 60, lambda: {"sent": 2}) is True
    Round.objects.update(started_at=timezone.now() - timedelta(seconds=31))
    assert rounds.run("r", 60, lambda: {"sent": 1, "failed": 1}) is True
    row = Round.objects.get()
    assert row.actions == {"sent": 3, "failed": 1}
    assert row.succeeded_at is not None


def test_a_round_that_began_within_half_its_interval_does_not_run_again() -> None:
    runs: list[int] = []
    for age_s in (0, 20, 29):
        rounds.run("r", 60, lambda: runs.append(1) or {})  # type: ignore[func-returns-value]
        Round.objects.update(started_at=timezone.now() - timedelta(seconds=age_s))
    assert runs == [1]


def test_a_round_that_is_called_more_often_than_it_is_meant_keeps_its_interval() -> None:
    """A job that comes every 20 s for a round of 300 s: the half call of patience is one of 20 s."""
    ran = []
    for age_s in (0, 151, 289, 291):
        Round.objects.update(started_at=timezone.now() - timedelta(seconds=age_s))
        ran.append(rounds.run("r", 300, dict, called_every_s=20))
    assert ran == [True, False, False, True]


def test_a_round_that_raises_counts_as_begun_and_lets_the_next_one_in() -> None:
    def fail() -> dict[str, int]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        rounds.run("r", 60, fail)
    row = Round.objects.get()
    assert (row.succeeded_at, row.started_at is None) == (None, False)
    assert rounds.run("r", 0, dict) is True


def test_a_round_runs_in_one_process_at_a_time() -> None:
    inside, leave, second = threading.Event(), threading.Event(), []

    def hold() -> dict[str, int]:
        inside.set()
        leave.wait(timeout=10)
        return {}

    def first() -> None:
        try:
            rounds.run("r", 0, hold)
        finally:
            connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(timeout=10)
    second.append(rounds.run("r", 0, dict))
    leave.set()
    thread.join(timeout=10)
    assert second == [False]
    assert rounds.run("r", 0, dict) is True


def test_a_round_whose_process_stands_still_is_taken_over(settings: Any) -> None:
    """PostgreSQL ends a session that says nothing for longer than any outside call may take, and its lock goes."""
    settings.ACCEPT_ORDER_DEADLINE_S, settings.DEADLINE_MARGIN_S = 1, 0
    inside, wakes, raised = threading.Event(), threading.Event(), []

    def stand_still() -> dict[str, int]:
        inside.set()
        wakes.wait(timeout=20)
        return {}

    def frozen() -> None:
        try:
            rounds.run("r", 0, stand_still)
        except OperationalError as error:
            raised.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=frozen)
    thread.start()
    assert inside.wait(timeout=10)
    assert rounds.run("r", 0, dict) is False
    until(lambda: rounds.run("r", 0, dict), what="the round to run elsewhere")
    wakes.set()
    thread.join(timeout=10)
    assert len(raised) == 1
