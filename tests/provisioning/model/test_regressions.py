"""What the model found, as it found it: each once was an order made twice, lost, or made without right."""

import pytest

from tests.provisioning.model.machine import ProvisioningMachine
from tests.provisioning.model.points import ADD, GUARD, REPORT, Mishap, point_of
from tests.provisioning.model.world import ORDERS

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_worker_that_stood_still_after_it_read_the_order_reads_it_again_before_it_orders(
    machine: type[ProvisioningMachine],
) -> None:
    life = machine()
    life.begins(ORDERS[0], [Mishap("stands", "step.finish:after")])
    life.world.advance(100)
    life.resume(0)
    life.nothing_is_wrong()
    life.teardown()


def test_a_cancelled_order_that_nobody_could_look_at_yet_is_not_at_rest(machine: type[ProvisioningMachine]) -> None:
    """The request that was found by comparison was still queued when the order's turn to be cleaned up came."""
    life = machine()
    life.begins(ORDERS[0], [Mishap("dies", "whmcs.AddOrder:after")])
    life.ask_in_vain(ORDERS[0])
    life.customer_cancels(ORDERS[0])
    life.teardown()


def test_what_works_is_not_called_a_failure_because_a_later_request_was_interrupted(
    machine: type[ProvisioningMachine],
) -> None:
    """The report got lost, somebody asked again, and that worker was left behind before it had looked."""
    life = machine()
    life.begins(ORDERS[0], [Mishap("refused", REPORT)])
    life.worker_is_left_behind(ORDERS[0], f"{point_of(GUARD)}:before")
    life.teardown()


def test_a_worker_that_stood_still_until_its_quarantine_was_over_orders_nothing_any_more(
    machine: type[ProvisioningMachine],
) -> None:
    """Nobody would look once more for what it made: the order was cancelled and looked at meanwhile."""
    life = machine()
    life.begins(ORDERS[0], [Mishap("stands", f"{point_of(ADD)}:before")])
    life.drain_outbox(1200, [])
    life.sweep(0, [])
    life.customer_cancels(ORDERS[0])
    life.clean_up([])
    life.teardown()
    assert life.world.whmcs.count("add_order") == 0
