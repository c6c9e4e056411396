"""Customers and approved orders, made straight in the outside systems, and what stands there about them."""

import itertools
import uuid
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import requests
from django.utils import timezone

from integrations import gateway
from integrations.salesforce.schemas import NewAccount, NewOrder, NewOrderItem
from tests.provisioning.esim_double import ESIM_OPTIONS
from tests.sandbox_process import Buttons

ORDERS_PER_CUSTOMER = 8
GOODS = {
    "internet": ("Personal SonixNet Home Internet", {"INT-APT-1G": "Monthly", "ACT-INTERNET": "One-time"}),
    "vpn": ("VPN", {"VPN-US": "Monthly", "ACT-VPN": "One-time"}),
    "esim": ("SIM", {"SIM-VD-3": "Monthly", "ACT-SIM": "One-time"}),
}
CHOSEN = {"SIM-VD-3": {"sim_type": {**ESIM_OPTIONS["sim_type"], "whmcs_option_id": 22, "whmcs_value": 221}}}
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Customer:
    account_id: str
    client_id: int
    email: str


@dataclass
class Shop:
    """The outside world of one cell."""

    ready: dict[str, Any]
    buttons: Buttons
    placed_at: int = 0  # the ledger's last row before the orders of this seed were approved
    _customer: Customer | None = None
    _orders: int = 0
    _session: requests.Session = field(default_factory=requests.Session)

    def customer(self) -> Customer:
        """One with a card; each has a handful of orders."""
        if self._customer is None or self._orders >= ORDERS_PER_CUSTOMER:
            self._customer, self._orders = self._sign_up(), 0
        self._orders += 1
        return self._customer

    def place(self, customer: Customer, goods: str) -> str:
        """An order that nobody has approved yet; its id."""
        commodity, items = self._goods(goods)
        placed = gateway.salesforce().place_order(
            NewOrder(
                ref=str(uuid.uuid4()),
                account_id=customer.account_id,
                account_name="Sato Aiko",
                commodity=commodity,
                opportunity_id="",
                correlation_id=f"campaign-{uuid.uuid4()}",
                effective_date=f"{timezone.localdate():%Y-%m-%d}",
                close_date=f"{timezone.localdate():%Y-%m-%d}",
                items=items,
            )
        )
        return placed.id

    def desk(self, order_id: str, action: str) -> None:
        self.buttons.control(f"/control/desk/orders/{order_id}/{action}")

    def order(self, order_id: str) -> dict[str, Any]:
        """The Salesforce Order, read by a session of our own."""
        url = f"{self.ready['salesforce_url']}/services/data/v66.0/sobjects/Order/{order_id}"
        answer = self._session.get(url, verify=self.ready["ca"], timeout=15)
        if answer.status_code == requests.codes.unauthorized:
            self._sign_in()
            answer = self._session.get(url, verify=self.ready["ca"], timeout=15)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def whmcs(self, order_id: str) -> dict[str, Any]:
        """Orders, services and invoices that carry the order's mark."""
        held: dict[str, Any] = self.buttons.get("/control/whmcs/state", mark=order_id)
        return held

    def esim(self, order_id: str) -> list[dict[str, Any]]:
        """The lines that the eSIM provider holds for the order."""
        held: list[dict[str, Any]] = self.buttons.get("/control/esim/state", order_ref=order_id)["lines"]
        return held

    def last_row(self) -> int:
        """The number of the ledger's newest row."""
        return int(self.buttons.get("/control/ledger", order="newest", limit=1)["rows"][0]["number"])

    def _sign_in(self) -> None:
        form = {"grant_type": "client_credentials", "client_id": self.ready["salesforce_client_id"]}
        form["client_secret"] = self.ready["salesforce_client_secret"]
        self._session.trust_env = False
        url = f"{self.ready['salesforce_url']}/services/oauth2/token"
        token = self._session.post(url, form, verify=self.ready["ca"], timeout=15).json()["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"

    def _sign_up(self) -> Customer:
        ref = str(uuid.uuid4())
        email = f"c{next(_numbers)}-{ref[:8]}@example.jp"
        account = gateway.salesforce().create_account(NewAccount(ref, "Aiko", "Sato", email, "Portal Signup"))
        client_id = gateway.whmcs().add_client(
            email=email, given_name="Aiko", family_name="Sato", language="en", customer_number=account.number
        )
        gateway.salesforce().register_account(account_id=account.id, whmcs_client=client_id, source="Portal Signup")
        self.buttons.control(f"/control/whmcs/clients/{client_id}/paymethods")
        self.buttons.control(f"/control/desk/accounts/{account.id}/identity", {"status": "Verified"})
        return Customer(account.id, client_id, email)

    def _goods(self, goods: str) -> tuple[str, list[NewOrderItem]]:
        commodity, cycles = GOODS[goods]
        return commodity, [
            NewOrderItem(row.pricebook_entry_id, 1, int(row.unit_price), cycle, CHOSEN.get(sku, {}))
            for sku, cycle in cycles.items()
            for row in [self._catalogue[sku]]
        ]

    @cached_property
    def _catalogue(self) -> dict[str, Any]:
        return {str(each.fields["StockKeepingUnit"]): each for each in gateway.salesforce().catalogue("Portal")}
