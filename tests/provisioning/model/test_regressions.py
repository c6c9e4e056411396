"""What the model found, as it found it: each once was an order made twice, lost, or made without right."""

import pytest

from tests.provisioning.model.machine import ProvisioningMachine
from tests.provisioning.model.points import Mishap

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_worker_that_stood_still_after_it_read_the_order_reads_it_again_before_it_orders(
    machine: type[ProvisioningMachine],
) -> None:
    life = machine()
    life.begins([Mishap("stands", "step.finish:after")])
    life.world.advance(100)
    life.resume(0)
    life.nothing_is_wrong()
    life.teardown()
