"""The machine with the clock that its model puts forward, and with production's times."""

import logging
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.provisioning.model import clock, customer
from tests.provisioning.model.esim import MachineWithESim
from tests.provisioning.model.machine import ProvisioningMachine

TIMES = {"LEASE_S": 90, "SWEEP_S": 30, "QUARANTINE_S": 900, "DEADLINE_MARGIN_S": 30}
"""Nothing of them passes by itself while a test runs: only the model puts the clock forward."""


@pytest.fixture
def machine(
    transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[type[ProvisioningMachine]]:
    for name, seconds in TIMES.items():
        setattr(settings, name, seconds)
    logging.disable()  # a run of the model says more than anybody reads
    with clock.put_in_place(monkeypatch) as placed:
        parts = {"clock": placed, "patch": monkeypatch, "counts": Counter(), "customer": customer.signs_up()}
        yield type("Machine", (MachineWithESim,), parts)
    logging.disable(logging.NOTSET)
