"""An order with an eSIM against the sandbox over TLS: its ledger and Salesforce say how many lines came of it."""

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from integrations import failpoints, gateway
from integrations.salesforce.schemas import NewOrder, NewOrderItem
from journal.models import RemoteCall, RemoteFact
from provisioning import outbox, sweepers, worker
from provisioning.models import Attempt
from tests.faults import Faults
from tests.org import rows
from tests.provisioning.conftest import arrives
from tests.provisioning.esim_double import ESIM_OPTIONS
from tests.provisioning.shop import Shop
from tests.sandbox_process import Sandbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("sandbox")]
PHONE = {"sim_type": {**ESIM_OPTIONS["sim_type"], "whmcs_option_id": 22, "whmcs_value": 221}}
Wrong = Callable[[Faults], object]


class SimShop(Shop):
    """A customer whose identity is verified, with an order of one eSIM placed, approved and paid for."""

    def _place(self) -> str:
        products = {str(each.fields["StockKeepingUnit"]): each for each in gateway.salesforce().catalogue("Portal")}
        items = [
            NewOrderItem(products[sku].pricebook_entry_id, 1, int(products[sku].unit_price), cycle, options)
            for sku, cycle, options in (("SIM-VD-3", "Monthly", PHONE), ("ACT-SIM", "One-time", {}))
        ]
        placed = gateway.salesforce().place_order(
            NewOrder(
                ref=str(uuid.uuid4()),
                account_id=self.account_id,
                account_name="Sato Aiko",
                commodity="SIM",
                opportunity_id="",
                correlation_id=f"wire-{uuid.uuid4()}",
                effective_date="2026-11-20",
                close_date="2026-12-20",
                items=items,
            )
        )
        self.sandbox.control(f"/control/desk/accounts/{self.account_id}/identity", {"status": "Verified"})
        self.add_card()
        return placed.id

    def arrive(self) -> None:
        """The newest request comes in."""
        event = self.event()
        arrives(event["detail"]["IdemKey__c"], order_id=self.order_id)

    def work_off(self) -> Attempt:
        worker.work_off()
        return Attempt.objects.filter(order_id=self.order_id).latest("created_at")

    def requested(self, action: str = "approve") -> Attempt:
        self.desk(action)
        self.arrive()
        return self.work_off()

    def check_tickets(self) -> Attempt:
        Attempt.objects.filter(state="WAITING").update(check_at=timezone.now())
        sweepers.requeue_waiting()
        return self.work_off()

    def accepted(self) -> list[str]:
        """The tickets of the activations that the provider accepted for this order, by its ledger."""
        ledger = self.sandbox.ledger(system="esim", operation="activate.accepted", key=self.order_id)
        return [row["detail"]["ticket"] for row in ledger]

    def activated(self) -> int:
        """How many lines it made, by its ledger."""
        return len(self.sandbox.ledger(system="esim", operation="activate", key=self.order_id))

    def in_salesforce(self) -> dict[str, Any]:
        names = "Activation_Status__c, Activation_Error__c, ESIM_ICCID__c"
        (row,) = rows(self.sandbox, f"SELECT {names} FROM Order WHERE Id = '{self.order_id}'")
        return row

    def is_provisioned_once(self) -> None:
        line = gateway.esim().line(self.order_id)
        assert line is not None
        row = self.in_salesforce()
        assert (row["Activation_Status__c"], row["ESIM_ICCID__c"]) == ("Provisioned", line.iccid)
        assert (self.activated(), self.added()) == (1, 1)

    def pass_time(self) -> None:
        """Leases and quarantines are over, and the clock's jobs run."""
        past = timezone.now() - timedelta(seconds=1)
        Attempt.objects.filter(state="RUNNING").update(lease_until=past)
        RemoteCall.objects.update(deadline_at=past, quarantine_until=past)
        Attempt.objects.update(check_at=None)
        sweepers.end_interrupted()
        sweepers.resolve_unknown()
        outbox.drain()


@pytest.fixture
def shop(sandbox: Sandbox) -> Iterator[SimShop]:
    cache.clear()
    yield SimShop(sandbox)
    pace(sandbox, processing_s=0, honours_keys=True, closed_from="", closed_until="", fail="")


def pace(sandbox: Sandbox, **settings: Any) -> None:
    sandbox.control("/control/esim/settings", settings)


def test_accepted_is_not_done_and_done_is_provisioned_with_its_card_in_salesforce(shop: SimShop) -> None:
    pace(shop.sandbox, processing_s=-1)
    attempt = shop.requested()
    (ticket,) = shop.accepted()
    assert (attempt.state, attempt.ticket_ref, attempt.lease_until) == ("WAITING", ticket, None)
    assert (shop.added(), shop.in_salesforce()["Activation_Status__c"]) == (0, "Activating")
    assert shop.check_tickets().state == "WAITING"
    shop.sandbox.control(f"/control/esim/tickets/{ticket}/finish")
    assert shop.check_tickets().state == "PROVISIONED"
    shop.is_provisioned_once()


LOST: dict[str, Wrong] = {
    "the answer is lost": lambda faults: faults.lose_answer("esim", "activate"),
    "a page comes instead": lambda faults: faults.html("esim", "activate", status=503, at="after"),
    "it drips": lambda faults: faults.answer("esim", "drip", "activate"),
}


@pytest.mark.parametrize("wrong", LOST.values(), ids=LOST)
@pytest.mark.parametrize("keys", [True, False], ids=["keys", "no keys"])
def test_a_lost_answer_makes_no_second_line(
    shop: SimShop, faults: Faults, settings: Any, wrong: Wrong, keys: bool
) -> None:
    settings.ESIM_DEADLINE_S = 1
    gateway.forget()
    pace(shop.sandbox, honours_keys=keys)
    wrong(faults)
    assert shop.requested().state == "PROVISIONED"
    shop.is_provisioned_once()


@pytest.mark.parametrize(
    "point",
    ["esim.activate:before", "esim.activate:after", "call.intent:after", "call.close:before", "outcome.waiting:before"],
)
def test_a_worker_that_dies_leaves_one_line_and_one_order_after_a_new_request(shop: SimShop, point: str) -> None:
    pace(shop.sandbox, processing_s=-1)
    shop.desk("approve")
    shop.arrive()
    with failpoints.arm(f"{point}=raise"), pytest.raises(failpoints.Died):
        worker.work_off()
    shop.pass_time()
    assert shop.in_salesforce()["Activation_Status__c"] == "Failed"
    assert shop.requested("activate").state == "WAITING"
    (ticket,) = shop.accepted()
    shop.sandbox.control(f"/control/esim/tickets/{ticket}/finish")
    assert shop.check_tickets().state == "PROVISIONED"
    shop.is_provisioned_once()


def test_a_ticket_that_fails_after_it_was_accepted_is_told_and_a_new_request_gets_another(shop: SimShop) -> None:
    pace(shop.sandbox, processing_s=-1)
    shop.requested()
    (first,) = shop.accepted()
    shop.sandbox.control(f"/control/esim/tickets/{first}/fail", {"code": "CARRIER_BUSY"})
    shop.check_tickets()
    told = shop.in_salesforce()
    assert told["Activation_Status__c"] == "Failed"
    assert told["Activation_Error__c"].startswith(f"esim_error: ticket {first} failed: CARRIER_BUSY")
    pace(shop.sandbox, processing_s=0)
    assert shop.requested("activate").state == "PROVISIONED"
    assert len(shop.accepted()) == 2
    shop.is_provisioned_once()


def test_a_provider_closed_for_maintenance_is_unreachable_and_works_the_next_time(shop: SimShop) -> None:
    pace(shop.sandbox, closed_from="00:00", closed_until="24:00")
    assert shop.requested().error_code == "esim_unreachable"
    pace(shop.sandbox, closed_from="", closed_until="")
    assert shop.requested("activate").state == "PROVISIONED"
    shop.is_provisioned_once()


def test_an_order_cancelled_while_it_waits_is_not_ordered(shop: SimShop) -> None:
    pace(shop.sandbox, processing_s=-1)
    shop.requested()
    (ticket,) = shop.accepted()
    shop.desk("cancel")
    shop.sandbox.control(f"/control/esim/tickets/{ticket}/finish")
    attempt = shop.check_tickets()
    assert (attempt.state, attempt.error_code) == ("FAILED", "order_not_approved")  # cancelled, but Activating still
    assert (shop.activated(), shop.added()) == (1, 0)
    assert RemoteFact.objects.get(kind="esim", state="live").remote_id == shop.order_id
