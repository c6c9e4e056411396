"""What was committed after a remote call survives a database that is away, and a deadlock; the call is not repeated."""

import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import InternalError, OperationalError, connection, transaction

from integrations import failpoints
from journal import calls
from journal.commits import MOST_CONFLICTS, lasting, settled, sqlstate_of
from journal.models import RemoteCall, RemoteFact

pytestmark = pytest.mark.django_db(transaction=True)


def cut_this_connection() -> None:
    """What an administrator or a restart of PostgreSQL does to the session."""
    params = {**connection.get_connection_params(), "options": ""}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    with psycopg.connect(**_plain(params), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def _plain(params: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if name in {"dbname", "user", "password", "host", "port"}}


def add_order(sent: list[int], **other: Any) -> int:
    def call() -> int:
        sent.append(1)
        return 501

    made: int = calls.once(
        subject="order:1",
        operation="whmcs.AddOrder",
        owner="attempt:1",
        deadline_s=1,
        look_up=lambda: None,
        call=call,
        fence=lambda: None,
        record=lambda made: {"whmcs_order": made},
        **other,
    )
    return made


@pytest.mark.parametrize("point", ["call.close:before", "call.close:after"])
def test_a_connection_lost_after_the_answer_loses_neither_the_answer_nor_sends_twice(point: str) -> None:
    sent: list[int] = []
    with failpoints.arm(f"{point}=call", cut_this_connection):
        assert add_order(sent) == 501
    connection.close()
    assert sent == [1]
    assert RemoteCall.objects.get().state == "DONE"


def test_a_connection_lost_before_the_intent_stands_sends_nothing() -> None:
    sent: list[int] = []
    with failpoints.arm("call.intent:before=call", cut_this_connection), pytest.raises(OperationalError):
        add_order(sent)
    connection.close()
    assert (sent, RemoteCall.objects.count()) == ([], 0)


def test_a_database_that_stays_away_is_given_up_and_the_call_stays_open(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []
    settings.COMMIT_RETRY_S = 0.1
    nobody_listens = {**connection.get_connection_params(), "port": 1}

    def unplug() -> None:
        cut_this_connection()
        monkeypatch.setattr(connection, "get_connection_params", lambda: nobody_listens)

    with failpoints.arm("call.close:before=call", unplug), pytest.raises(OperationalError):
        add_order(sent)
    monkeypatch.undo()
    assert (sent, RemoteCall.objects.get().state) == ([1], "INTENT")


def _two_facts() -> list[int]:
    return [RemoteFact.objects.create(subject=f"order:{n}", kind="esim", remote_id=str(n)).pk for n in (1, 2)]


def _update(pk: int) -> None:
    RemoteFact.objects.filter(pk=pk).update(fingerprint="seen")


def test_a_deadlock_repeats_the_local_transaction_alone() -> None:
    """Two transactions take two rows in opposite order; PostgreSQL ends one of them, and both get done."""
    first, second = _two_facts()
    meet = threading.Barrier(2, timeout=10)
    runs: list[str] = []

    def cross(name: str, one: int, other: int) -> None:
        @settled
        def write() -> None:
            runs.append(name)
            with transaction.atomic():
                _update(one)
                if runs.count(name) == 1:
                    meet.wait()
                _update(other)

        write()

    def elsewhere() -> None:
        try:
            cross("b", second, first)
        finally:
            connection.close()

    thread = threading.Thread(target=elsewhere)
    thread.start()
    cross("a", first, second)
    thread.join(20)
    assert len(runs) > 2
    assert RemoteFact.objects.filter(fingerprint="seen").count() == 2


def _fail_with(sqlstate: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{sqlstate}'; END $$")


def _counting(write: Callable[[], None], times: list[int]) -> Callable[[], None]:
    def counted() -> None:
        times.append(1)
        write()

    return counted


@pytest.mark.parametrize("sqlstate", ["40P01", "40001"])
def test_a_conflict_that_never_ends_is_given_up_after_three_repetitions(sqlstate: str) -> None:
    times: list[int] = []
    with pytest.raises(OperationalError) as raised:
        settled(_counting(lambda: _fail_with(sqlstate), times))()
    assert sqlstate_of(raised.value) == sqlstate
    assert len(times) == 1 + MOST_CONFLICTS


@pytest.mark.parametrize("sqlstate", ["57014", "55P03", "53300", "53100", "57P01", "25P03"])
def test_a_database_in_trouble_is_tried_again_until_its_time_is_over(sqlstate: str, settings: Any) -> None:
    """A cancelled statement, a lock not given, no connection left, a full disk, a shutdown, an ended session."""
    settings.COMMIT_RETRY_S = 0.1
    times: list[int] = []

    def troubled_twice() -> None:
        if len(times) < 3:
            _fail_with(sqlstate)

    lasting(_counting(troubled_twice, times))()
    assert len(times) == 3
    with pytest.raises((OperationalError, InternalError)):
        lasting(lambda: _fail_with(sqlstate))()


def test_a_mistake_of_ours_is_not_tried_again() -> None:
    times: list[int] = []

    def mistake() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        lasting(_counting(mistake, times))()
    assert times == [1]


def test_inside_a_transaction_only_the_whole_can_be_repeated() -> None:
    times: list[int] = []
    with pytest.raises(OperationalError), transaction.atomic():
        lasting(_counting(lambda: _fail_with("40P01"), times))()
    assert times == [1]
