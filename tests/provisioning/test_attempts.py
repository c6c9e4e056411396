"""What becomes of events, and which moves an attempt may make."""

import itertools
import threading
from collections.abc import Callable, Iterator

import pytest
from django.db import connection, transaction

from provisioning import attempts, claims
from provisioning.attempts import MOVES, TERMINAL, Fenced, IllegalMove, State, take_in
from provisioning.models import Attempt, InboxEvent
from tests.provisioning.conftest import an_event, arrives
from tests.provisioning.doubles import ORDER, key

pytestmark = pytest.mark.django_db(transaction=True)
In = InboxEvent.State
OLDER_FLOW_KEY = f"{ORDER}-2026-11-20 12:34:56Z"


def make(state: str, number: int = 1) -> Attempt:
    return Attempt.objects.create(order_id=ORDER, idem_key=key(number), state=state)


def end(attempt: Attempt, to: str) -> attempts.Ended:
    attempts.transition(attempt_id=attempt.pk, to=State.RUNNING)
    return attempts.end(attempt_id=attempt.pk, to=to)


def the_attempt(number: int) -> Attempt:
    return Attempt.objects.get(idem_key=key(number))


# --- events


def test_a_first_event_is_accepted_and_makes_a_queued_attempt() -> None:
    event = arrives(key(1), correlation_id="corr-1")
    assert event.state == In.ACCEPTED
    attempt = the_attempt(1)
    assert (attempt.state, attempt.order_id, attempt.event, attempt.correlation_id) == (
        "QUEUED",
        ORDER,
        event,
        "corr-1",
    )


def test_taking_in_outside_a_transaction_is_refused() -> None:
    with pytest.raises(RuntimeError):
        take_in(event=an_event(key(1)))


@pytest.mark.parametrize("state", [*Attempt.LIVE, *sorted(TERMINAL)])
def test_another_event_with_a_key_already_seen_is_a_duplicate_whatever_became_of_it(state: str) -> None:
    arrives(key(1))
    Attempt.objects.update(state=state)
    assert arrives(key(1)).state == In.DUPLICATE
    assert Attempt.objects.count() == 1


@pytest.mark.parametrize("state", Attempt.LIVE)
def test_a_new_request_while_an_attempt_lives_waits(state: str) -> None:
    arrives(key(1))
    Attempt.objects.update(state=state)
    assert arrives(key(2)).state == In.WAITING
    assert Attempt.objects.count() == 1


def test_only_the_newest_request_waits() -> None:
    arrives(key(1))
    second, third = arrives(key(2)), arrives(key(3))
    second.refresh_from_db()
    assert (second.state, third.state) == (In.REPLACED, In.WAITING)


def test_the_key_of_a_replaced_request_is_used_up() -> None:
    for number in (1, 2, 3):
        arrives(key(number))
    assert arrives(key(2)).state == In.DUPLICATE


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_a_new_request_after_the_end_makes_a_new_attempt(state: str) -> None:
    arrives(key(1))
    Attempt.objects.update(state=state)
    assert arrives(key(2)).state == In.ACCEPTED
    assert the_attempt(2).state == "QUEUED"


@pytest.mark.parametrize("state", [State.QUEUED, State.PROVISIONED])
def test_a_request_that_comes_after_a_later_one_asks_for_nothing(state: str) -> None:
    arrives(key(2))
    Attempt.objects.update(state=state)
    late = arrives(key(1))
    assert (late.state, late.note) == (In.REPLACED, "older than a request already seen")
    assert Attempt.objects.count() == 1


def test_an_event_without_a_key_goes_by_its_own_id() -> None:
    event = arrives("")
    assert event.idem_key == f"event:{event.event_uuid}"
    assert Attempt.objects.get().idem_key == event.idem_key


def test_an_older_flows_key_is_a_duplicate_only_while_its_attempt_lives() -> None:
    arrives(OLDER_FLOW_KEY)
    assert arrives(OLDER_FLOW_KEY).state == In.DUPLICATE
    Attempt.objects.update(state=State.FAILED)
    again = arrives(OLDER_FLOW_KEY)
    assert again.state == In.ACCEPTED
    assert again.attempt.idem_key == f"{OLDER_FLOW_KEY}#{again.pk}"
    assert arrives(OLDER_FLOW_KEY).state == In.DUPLICATE


def test_events_of_other_orders_do_not_matter() -> None:
    arrives(key(5))
    other = "801000000000002AAA"
    assert arrives(key(1, other), order_id=other).state == In.ACCEPTED


@pytest.mark.parametrize(
    ("idem_key", "reported"),
    [(key(3), key(3)), ("event:u-1", ""), ("reconcile:x:y", ""), (OLDER_FLOW_KEY, ""), (f"{OLDER_FLOW_KEY}#77", "")],
)
def test_salesforce_is_told_its_own_keys_only(idem_key: str, reported: str) -> None:
    assert attempts.report_key(idem_key) == reported


# --- ends


def test_provisioned_answers_the_waiting_request_and_is_reported_under_its_key() -> None:
    arrives(key(1))
    waiting = arrives(key(2))
    ended = end(the_attempt(1), State.PROVISIONED)
    waiting.refresh_from_db()
    assert (ended.report_as, ended.next_attempt, waiting.state) == (key(2), None, In.ANSWERED)


@pytest.mark.parametrize("to", [State.FAILED, State.SKIPPED])
def test_after_any_other_end_the_waiting_request_becomes_the_next_attempt_and_nothing_is_reported(to: str) -> None:
    arrives(key(1))
    waiting = arrives(key(2))
    ended = end(the_attempt(1), to)
    waiting.refresh_from_db()
    assert (ended.report_as, ended.next_attempt, waiting.state) == (None, the_attempt(2), In.ACCEPTED)


@pytest.mark.parametrize(("to", "told"), [(State.PROVISIONED, True), (State.FAILED, True), (State.SKIPPED, False)])
def test_without_a_waiting_request_an_end_is_reported_under_its_own_key(to: str, told: bool) -> None:
    arrives(key(1))
    assert end(the_attempt(1), to).report_as == (key(1) if told else None)


def test_an_end_that_is_rolled_back_frees_nothing() -> None:
    arrives(key(1))
    waiting = arrives(key(2))
    with transaction.atomic():
        end(the_attempt(1), State.FAILED)
        transaction.set_rollback(True)
    waiting.refresh_from_db()
    assert (waiting.state, Attempt.objects.count()) == (In.WAITING, 1)


# --- moves


@pytest.mark.parametrize(("old", "new"), list(itertools.product(MOVES, State.values)))
def test_only_the_moves_of_the_table_are_made(old: str, new: str) -> None:
    attempt = make(old)
    if new in MOVES[old]:
        moved = attempts.transition(attempt_id=attempt.pk, to=new)
        assert (moved.state, moved.epoch) == (new, 1)
        assert (moved.finished_at is not None) == (new in TERMINAL)
    else:
        with pytest.raises(IllegalMove):
            attempts.transition(attempt_id=attempt.pk, to=new)
        attempt.refresh_from_db()
        assert (attempt.state, attempt.epoch) == (old, 0)


def test_terminal_states_allow_no_move() -> None:
    assert {State.PROVISIONED, State.FAILED, State.SKIPPED} == TERMINAL


@pytest.mark.parametrize("state", [each for each in State.values if each != "RUNNING"])
def test_a_worker_whose_attempt_is_not_running_any_more_is_fenced(state: str) -> None:
    attempt = make(state)
    with pytest.raises(Fenced):
        attempts.transition(attempt_id=attempt.pk, to=State.FAILED, epoch=0)


def test_a_worker_of_an_older_epoch_is_fenced() -> None:
    arrives(key(1))
    claimed = claims.claim()
    assert claimed is not None
    Attempt.objects.update(epoch=claimed.epoch + 1)
    with pytest.raises(Fenced):
        claimed.renew(10)
    with pytest.raises(Fenced):
        claimed.write(whmcs_order_id=5)
    with pytest.raises(Fenced):
        attempts.end(attempt_id=claimed.attempt.pk, to=State.PROVISIONED, epoch=claimed.epoch)
    assert Attempt.objects.get().whmcs_order_id is None


# --- races


def in_threads(count: int, work: Callable[[], object]) -> list[object]:
    together = threading.Barrier(count)
    results: list[object] = []

    def run() -> None:
        try:
            together.wait(timeout=10)
            results.append(work())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _each in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    return results


def test_an_attempt_is_claimed_once_however_many_workers_want_it() -> None:
    arrives(key(1))
    claimed = [each for each in in_threads(8, claims.claim) if each]
    assert len(claimed) == 1
    assert Attempt.objects.get().epoch == 1


def test_workers_at_the_same_time_take_different_attempts() -> None:
    for number in range(6):
        order_id = f"80100000000000{number}AAA"
        arrives(key(1, order_id), order_id=order_id)
    claimed = in_threads(6, claims.claim)
    assert len({each.attempt.pk for each in claimed if each}) == 6  # type: ignore[attr-defined]


def test_the_oldest_attempt_is_claimed_first() -> None:
    for number in (1, 2):
        order_id = f"80100000000000{number}AAA"
        arrives(key(1, order_id), order_id=order_id)
    first = claims.claim()
    assert first is not None
    assert first.attempt.order_id == "801000000000001AAA"


def test_many_requests_of_one_order_at_the_same_time_make_one_attempt() -> None:
    numbers = itertools.count(1)

    def arrive() -> str:
        return arrives(key(next(numbers))).state

    states = in_threads(8, arrive)
    assert Attempt.objects.count() == 1
    assert states.count(In.ACCEPTED) == 1
    assert InboxEvent.objects.filter(state=In.WAITING).count() <= 1


def test_a_request_that_races_with_the_end_is_never_lost() -> None:
    """Either it waited and was freed, or it came after the end and was accepted."""
    arrives(key(1))
    claimed = claims.claim()
    assert claimed is not None
    jobs: Iterator[Callable[[], object]] = iter(
        [
            lambda: arrives(key(2)).state,
            lambda: attempts.end(attempt_id=claimed.attempt.pk, to=State.FAILED, epoch=claimed.epoch),
        ]
    )
    lock = threading.Lock()

    def one() -> object:
        with lock:
            job = next(jobs)
        return job()

    in_threads(2, one)
    assert the_attempt(2).state == "QUEUED"
