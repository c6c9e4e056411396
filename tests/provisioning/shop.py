"""A customer of the sandbox with an order, and the eyes of the judges: WHMCS' ledger and Salesforce."""

import itertools
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from integrations import gateway
from integrations.salesforce.schemas import NewAccount, NewOrder, NewOrderItem, OrderChange
from provisioning import worker
from provisioning.attempts import take_in
from provisioning.models import Attempt, InboxEvent
from tests.sandbox_process import Sandbox

_people = itertools.count(1)
SKUS = {"INT-APT-1G": "Monthly", "ACT-INTERNET": "One-time"}


class Shop:
    """A customer with an order placed and approved, and the eyes of the judges."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.client_id, self.account_id = self._sign_up()
        self.order_id = self._place()

    def _sign_up(self) -> tuple[int, str]:
        number, ref = next(_people), str(uuid.uuid4())
        email = f"wire{number}-{ref[:8]}@example.jp"
        account = gateway.salesforce().create_account(NewAccount(ref, "Aiko", "Sato", email, "Portal Signup"))
        client_id = gateway.whmcs().add_client(
            email=email, given_name="Aiko", family_name="Sato", language="en", customer_number=account.number
        )
        gateway.salesforce().register_account(account_id=account.id, whmcs_client=client_id, source="Portal Signup")
        return client_id, account.id

    def _place(self) -> str:
        products = {str(each.fields["StockKeepingUnit"]): each for each in gateway.salesforce().catalogue("Portal")}
        items = [
            NewOrderItem(products[sku].pricebook_entry_id, 1, int(products[sku].unit_price), cycle, {})
            for sku, cycle in SKUS.items()
        ]
        placed = gateway.salesforce().place_order(
            NewOrder(
                ref=str(uuid.uuid4()),
                account_id=self.account_id,
                account_name="Sato Aiko",
                commodity="Personal SonixNet Home Internet",
                opportunity_id="",
                correlation_id=f"wire-{uuid.uuid4()}",
                effective_date="2026-11-20",
                close_date="2026-12-20",
                items=items,
            )
        )
        return placed.id

    def add_card(self) -> None:
        self.sandbox.control(f"/control/whmcs/clients/{self.client_id}/paymethods")

    def desk(self, action: str) -> None:
        self.sandbox.control(f"/control/desk/orders/{self.order_id}/{action}")

    def event(self) -> Mapping[str, Any]:
        """The newest event that the org's flow published for the order, as the ledger has it."""
        published = self.sandbox.ledger(system="salesforce", operation="event.publish")
        return [row for row in published if row["detail"]["OrderId__c"] == self.order_id][-1]

    def arrives(self, *, copy: int = 0) -> None:
        """Hands the newest event to the intake, with an id of its own."""
        event = self.event()
        row = InboxEvent(
            event_uuid=f"{event['key']}-{copy}",
            topic="t",
            order_id=self.order_id,
            idem_key=event["detail"]["IdemKey__c"],
            correlation_id=f"wire-{self.order_id}",
        )
        with transaction.atomic():
            take_in(event=row)

    def deliver(self, *, copies: int = 1) -> Attempt:
        """The newest event comes in `copies` times, and is worked off each time."""
        for copy in range(copies):
            self.arrives(copy=copy)
            worker.work_off()
        return self.attempt()

    def attempt(self) -> Attempt:
        """The newest attempt at the order."""
        return Attempt.objects.filter(order_id=self.order_id).latest("created_at")

    def order(self) -> OrderChange:
        change = gateway.salesforce().order_change(self.order_id)
        assert change is not None
        return change

    def whmcs(self) -> dict[str, Any]:
        """What WHMCS holds for this order's mark."""
        held: dict[str, Any] = self.sandbox.get("/control/whmcs/state", mark=self.order_id)
        return held

    def added(self) -> int:
        """How many AddOrder calls WHMCS accepted for this customer."""
        rows = self.sandbox.ledger(system="whmcs", operation="AddOrder")
        return sum(row["detail"].get("client") == self.client_id for row in rows)
