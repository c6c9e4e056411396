"""One round of everything from the command line."""

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from rq import Queue

from portal.cron import EVERY
from portal.management.commands import housekeeping


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The rounds that ran; none of them does anything."""
    names: list[str] = []

    def stand_in(name: str) -> Callable[[], None]:
        return lambda: names.append(name)

    monkeypatch.setattr(housekeeping, "import_string", stand_in)
    return names


def test_every_round_of_the_clock_runs_once_and_without_redis(ran: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: object, **kwargs: object) -> None:
        raise AssertionError("Redis was used")

    monkeypatch.setattr(Queue, "enqueue", away)
    call_command("housekeeping", "--once", stdout=StringIO())
    assert ran == list(EVERY)


def test_a_round_that_fails_is_named_and_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def stand_in(name: str) -> Callable[[], None]:
        def run() -> None:
            ran.append(name)
            if name == "provisioning.jobs.sweep":
                raise ZeroDivisionError

        return run

    monkeypatch.setattr(housekeeping, "import_string", stand_in)
    with pytest.raises(CommandError, match=r"provisioning\.jobs\.sweep"):
        call_command("housekeeping", "--once", stdout=StringIO())
    assert ran == list(EVERY)
