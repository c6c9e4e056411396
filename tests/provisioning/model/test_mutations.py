"""With any one of its protections gone the model notices: a test that cannot fail proves nothing.

The switches exist here alone. Each run has a bounded number of examples and must end with the invariant that the
protection stands for.
"""

from collections.abc import Callable
from functools import partialmethod
from inspect import getmembers
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase
from hypothesis.stateful import RULE_MARKER, run_state_machine_as_test

from provisioning import attempts, claims, esim, intake, ordering
from provisioning.models import Attempt
from tests.provisioning.model.machine import ProvisioningMachine

pytestmark = pytest.mark.django_db(transaction=True)
Switch = Callable[[pytest.MonkeyPatch], None]
BUDGET = hypothesis.settings(
    max_examples=40,
    stateful_step_count=6,
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


def nobody_is_fenced(patch: pytest.MonkeyPatch) -> None:
    """Writes of whoever lost the attempt count as if it were theirs."""

    def write(claim: claims.Claim, **values: Any) -> None:
        changes = {name: value for name, value in values.items() if value is not None}
        Attempt.objects.filter(pk=claim.attempt.pk).update(**changes)

    transition = attempts.transition

    def any_epoch(**named: Any) -> Attempt:
        return transition(**{**named, "epoch": None})

    patch.setattr(claims.Claim, "write", write)
    patch.setattr(attempts, "transition", any_epoch)


def cursor_moves_by_itself(patch: pytest.MonkeyPatch) -> None:
    """The position is committed before the events."""
    store = intake.store

    def in_two_parts(**named: Any) -> int:
        with transaction.atomic():
            intake._move_cursor(named["topic"], named["leader_epoch"], named["response"])
        return store(**named)

    patch.setattr(intake, "store", in_two_parts)


def nothing_is_quarantined(patch: pytest.MonkeyPatch) -> None:
    """What got no answer counts as not carried out at once."""
    patch.setattr(settings, "QUARANTINE_S", -settings.ADD_ORDER_DEADLINE_S)


def reports_name_no_request(patch: pytest.MonkeyPatch) -> None:
    """Write-back compares the status alone."""
    patch.setattr(attempts, "report_key", lambda idem_key: "")


def provider_shows_nothing(patch: pytest.MonkeyPatch) -> None:
    """Another activation without regard to the tickets and lines that the look-up before it showed."""
    look_up = esim._look_up

    def blind(*args: Any) -> None:
        look_up(*args)

    patch.setattr(esim, "_look_up", blind)


def nobody_waits_for_tickets(patch: pytest.MonkeyPatch) -> None:
    """AddOrder as soon as the provider has accepted."""
    activate = esim.activate

    def at_once(*args: Any, **named: Any) -> str:
        try:
            return activate(*args, **named)
        except esim.Waiting:
            return ""

    patch.setattr(esim, "activate", at_once)


def only(machine: type[ProvisioningMachine], *rules: str) -> type[ProvisioningMachine]:
    """The machine with few rules: those by which the protection is put to the test."""
    known = {name: each for name, each in getmembers(machine) if hasattr(each, RULE_MARKER)}
    assert known.keys() >= set(rules)
    others = {name: partialmethod(each) for name, each in known.items() if name not in rules}
    return type("Machine", (machine,), others)


SWITCHES: dict[str, tuple[Switch, str, tuple[str, ...]]] = {
    "look-up": (look_up_finds_nothing, "S6: add_order although", ("answer_is_lost", "worker_is_left_behind")),
    "fence": (nobody_is_fenced, "S3: |IllegalMove", ("worker_is_left_behind",)),
    "cursor's transaction": (cursor_moves_by_itself, "S9: ", ("ask_and_deliver", "event_comes_twice")),
    "quarantine": (nothing_is_quarantined, "S5: ", ("answer_is_lost",)),
    "provider's look-up": (provider_shows_nothing, "S6: activate .* although", ("answer_of_activation_is_lost",)),
    "line before order": (nobody_waits_for_tickets, "S5: add_order before the eSIM", ("ask_for_esim",)),
    "write-back's key": (reports_name_no_request, "S11: ", ("report_is_overtaken",)),
}


@pytest.mark.parametrize("protection", SWITCHES)
def test_the_model_notices_that_a_protection_is_gone(
    machine: type[ProvisioningMachine], monkeypatch: pytest.MonkeyPatch, protection: str
) -> None:
    switch, noticed, rules = SWITCHES[protection]
    switch(monkeypatch)
    with pytest.raises(AssertionError, match=noticed):
        run_state_machine_as_test(only(machine, *rules), settings=BUDGET)


def test_an_intake_that_sees_no_live_attempt_is_stopped_by_the_index(
    machine: type[ProvisioningMachine], monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in_is_blind(monkeypatch)
    with pytest.raises(AssertionError, match="attempt_single_flight"):
        run_state_machine_as_test(only(machine, "ask_and_deliver"), settings=BUDGET)


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
            run_state_machine_as_test(only(machine, "ask_and_deliver"), settings=BUDGET)
    finally:
        Attempt.objects.all().delete()
        with connection.schema_editor() as schema:
            schema.add_constraint(Attempt, index)
