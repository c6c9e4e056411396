"""With any one of its protections gone the model notices: a test that cannot fail proves nothing.

The switches exist here alone. Each run has a bounded number of examples and must end with the invariant that the
protection stands for.
"""

from collections.abc import Callable
from typing import Any

import hypothesis
import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase
from hypothesis.stateful import run_state_machine_as_test

from provisioning import attempts, intake, ordering
from provisioning.models import Attempt
from tests.provisioning.model.machine import ProvisioningMachine

pytestmark = pytest.mark.django_db(transaction=True)
Switch = Callable[[pytest.MonkeyPatch], None]
BUDGET = hypothesis.settings(
    max_examples=60,
    stateful_step_count=12,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def take_in_is_blind(patch: pytest.MonkeyPatch) -> None:
    """An intake that does not see the order's live attempt."""
    seen = attempts._attempts_of
    patch.setattr(attempts, "_attempts_of", lambda orders, keys: ({}, seen(orders, keys)[1]))


def look_up_finds_nothing(patch: pytest.MonkeyPatch) -> None:
    """AddOrder without regard to what the look-up before it showed."""
    look = ordering._Looking.__call__

    def blind(looking: Any) -> Any:
        found = look(looking)
        return found if looking.sent else None

    patch.setattr(ordering._Looking, "__call__", blind)


def cursor_moves_by_itself(patch: pytest.MonkeyPatch) -> None:
    """The position is committed before the events."""
    store = intake.store

    def in_two_parts(**named: Any) -> int:
        with transaction.atomic():
            intake._move_cursor(named["topic"], named["leader_epoch"], named["response"])
        return store(**named)

    patch.setattr(intake, "store", in_two_parts)


def reports_name_no_request(patch: pytest.MonkeyPatch) -> None:
    """Write-back compares the status alone."""
    patch.setattr(attempts, "report_key", lambda idem_key: "")


SWITCHES: dict[str, tuple[Switch, str]] = {
    "look-up": (look_up_finds_nothing, "S6: add_order although"),
    "cursor's transaction": (cursor_moves_by_itself, "S9: "),
    "write-back's key": (reports_name_no_request, "S11: "),
}


@pytest.mark.parametrize("protection", SWITCHES)
def test_the_model_notices_that_a_protection_is_gone(
    machine: type[ProvisioningMachine], monkeypatch: pytest.MonkeyPatch, protection: str
) -> None:
    switch, noticed = SWITCHES[protection]
    switch(monkeypatch)
    with pytest.raises(AssertionError, match=noticed):
        run_state_machine_as_test(machine, settings=BUDGET)


def test_an_intake_that_sees_no_live_attempt_is_stopped_by_the_index(
    machine: type[ProvisioningMachine], monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in_is_blind(monkeypatch)
    with pytest.raises(AssertionError, match="attempt_single_flight"):
        run_state_machine_as_test(machine, settings=BUDGET)


def test_without_the_index_an_intake_that_sees_no_live_attempt_makes_a_second_one(
    machine: type[ProvisioningMachine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index is the second lock: alone it is not missed, since intake looks first, under the order's lock."""
    take_in_is_blind(monkeypatch)
    (index,) = [each for each in Attempt._meta.constraints if each.name == "attempt_single_flight"]
    with connection.schema_editor() as schema:
        schema.remove_constraint(Attempt, index)
    try:
        with pytest.raises(AssertionError, match="S2: "):
            run_state_machine_as_test(machine, settings=BUDGET)
    finally:
        Attempt.objects.all().delete()
        with connection.schema_editor() as schema:
            schema.add_constraint(Attempt, index)
