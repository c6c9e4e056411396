"""The model test of provisioning within the budget of `make test`; `make model` goes on for longer."""

import os

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase
from hypothesis.stateful import run_state_machine_as_test

from tests.provisioning.model.machine import ProvisioningMachine

pytestmark = pytest.mark.django_db(transaction=True)
EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "0"))  # as many as `make model` was asked for; else the budget
BUDGET = hypothesis.settings(
    max_examples=EXAMPLES or 30,
    stateful_step_count=25 if EXAMPLES else 15,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    phases=[Phase.generate, *([Phase.shrink] if EXAMPLES else [])],
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)


def test_an_order_becomes_one_service_or_a_reason_whatever_happens(
    machine: type[ProvisioningMachine], capsys: pytest.CaptureFixture[str]
) -> None:
    run_state_machine_as_test(machine, settings=BUDGET)
    if EXAMPLES:
        with capsys.disabled():
            print("\n" + statement(machine))  # noqa: T201 what `make model` is for


def statement(machine: type[ProvisioningMachine]) -> str:
    lines = [f"  {count:7} {what}" for what, count in sorted(machine.counts.items())]
    return "\n".join(["Every invariant held in every state, and every run healed:", *lines])
