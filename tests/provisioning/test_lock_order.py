"""Sweepers, worker, intake, reconciler and staff meet at one order and never dead-lock: real threads on PostgreSQL.

Whoever gets the order's lock first keeps it until all the others wait for something. Had one of them taken the
attempt's row before, PostgreSQL would end one of the two; commits are not repeated here, so that nothing hides it.
"""

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection, transaction

from journal import commits
from provisioning import attempts, claims, outcome, reconcile, staff, sweepers
from provisioning.attempts import Fenced, IllegalMove, take_in
from provisioning.failures import Code, Failure
from provisioning.models import Attempt, InboxEvent, Outbox
from provisioning.outcome import Whose
from provisioning.staff import Decision, NotPossible
from tests.provisioning.conftest import an_event, arrive_and_run, arrives
from tests.provisioning.doubles import ORDER, SalesforceDouble, WhmcsDouble, key, no_answer
from tests.provisioning.test_sweepers import expire_lease
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
BEATEN = (Fenced, IllegalMove, NotPossible)  # somebody else ended the attempt first


@dataclass
class Meeting:
    """Runs actors at the same time; the first that holds the order's lock waits until all others wait or are over."""

    lock: Callable[[Iterable[str]], None]
    errors: list[BaseException] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)
    first: threading.Lock = field(default_factory=threading.Lock)

    def lock_orders(self, order_ids: Iterable[str]) -> None:
        self.lock(order_ids)
        if self.threads and self.first.acquire(blocking=False):
            until(lambda: self.waiting() >= self.others(), what="everybody else to wait for the order")

    def others(self) -> int:
        return sum(thread.is_alive() for thread in self.threads) - 1

    def waiting(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(WAITING)
            (count,) = cursor.fetchone() or (0,)
        return int(count)

    def run(self, *actors: Callable[[], Any]) -> None:
        self.threads = [threading.Thread(target=self._act, args=[actor]) for actor in actors]
        for thread in self.threads:
            thread.start()
        for thread in self.threads:
            thread.join(30)
        assert not any(thread.is_alive() for thread in self.threads)
        assert self.errors == []

    def _act(self, actor: Callable[[], Any]) -> None:
        try:
            with suppress(*BEATEN):
                actor()
        except BaseException as error:  # noqa: BLE001 (the test's own thread tells it)
            self.errors.append(error)
        finally:
            connection.close()


@pytest.fixture
def meeting(monkeypatch: pytest.MonkeyPatch, salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> Meeting:
    made = Meeting(attempts.lock_orders)
    monkeypatch.setattr(attempts, "lock_orders", made.lock_orders)
    monkeypatch.setattr(commits, "CONFLICTS", frozenset())
    return made


def a_new_request() -> None:
    with transaction.atomic():
        take_in(event=an_event(key(2)))


def ends_as_failed(attempt: Attempt, epoch: int | None) -> Callable[[], None]:
    return lambda: outcome.failed(Whose(attempt.pk, epoch), Failure(Code.WHMCS_ERROR, "refused"))


@pytest.mark.parametrize("_each", range(3))
def test_an_attempt_whose_lease_ran_out_is_ended_once_and_the_new_request_goes_on(meeting: Meeting, _each: int) -> None:
    arrives(key(1))
    claim = claims.claim()
    assert claim is not None
    expire_lease()
    worker = ends_as_failed(claim.attempt, claim.epoch)
    meeting.run(sweepers.end_interrupted, sweepers.end_interrupted, worker, a_new_request, reconcile.reconcile)
    states = dict(Attempt.objects.values_list("idem_key", "state"))
    assert states == {key(1): "FAILED", key(2): "QUEUED"}
    assert InboxEvent.objects.get(idem_key=key(2)).state == "accepted"
    assert Outbox.objects.filter(attempt__idem_key=key(1)).count() <= 1


@pytest.mark.parametrize("_each", range(3))
def test_an_unknown_attempt_is_ended_once_by_look_up_staff_and_sweep(
    meeting: Meeting, whmcs: WhmcsDouble, _each: int
) -> None:
    whmcs.trouble("add_order", no_answer())
    attempt = arrive_and_run()
    assert attempt.state == "UNKNOWN"
    by_staff = Decision("carol@example.jp", "looked")
    meeting.run(
        ends_as_failed(attempt, None),
        ends_as_failed(attempt, None),
        lambda: staff.mark_failed(attempt, by_staff),
        a_new_request,
        sweepers.resolve_unknown,
    )
    assert Attempt.objects.get(idem_key=key(1)).state == "FAILED"
    assert Attempt.objects.get(idem_key=key(2)).state == "QUEUED"
    assert Attempt.objects.filter(order_id=ORDER, state__in=Attempt.LIVE).count() == 1
