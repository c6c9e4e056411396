"""What customers of the simulated WHMCS do, in one call each."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.whmcs.billing import automation
from sandbox.whmcs.billing.records import DailyRun
from sandbox.whmcs.cards import TEST_NUMBER, add_card
from sandbox.whmcs.install import Whmcs

NOON = datetime(2026, 11, 21, 3, tzinfo=UTC)
"""Noon in Tokyo on 21 November 2026."""


@dataclass
class Shop:
    """One installation at noon, and its only customer."""

    whmcs: Whmcs
    call: Callable[..., dict[str, Any]]
    client: int

    def order(self, *pids: int, **more: Any) -> int:
        """Orders these products; returns the order's id."""
        lines = {f"pid[{number}]": pid for number, pid in enumerate(pids)}
        made = self.call("AddOrder", {**lines, **more}, clientid=self.client, paymentmethod="stripe")
        assert made["result"] == "success", made
        return int(made["orderid"])

    def working(self, pid: int = 101) -> int:
        """Orders one product, pays and accepts it; returns the service's id."""
        order = self.order(pid)
        row = self.call("GetOrders", id=order)["orders"]["order"][0]
        self.pay(row["invoiceid"])
        self.call("AcceptOrder", orderid=order)
        return int(row["lineitems"]["lineitem"][0]["relid"])

    def pay(self, invoice: int, **more: Any) -> dict[str, Any]:
        fields = {"invoiceid": invoice, "transid": f"t{invoice}", "gateway": "stripe", "date": "2026-11-21"}
        return self.call("AddInvoicePayment", fields | more)

    def card(self, number: str = TEST_NUMBER, expiry: str = "12/40") -> None:
        with self.whmcs.caller(""):
            add_card(self.whmcs, self.client, number, expiry)

    def cron(self, *, mail: bool = True) -> DailyRun:
        return automation.run(self.whmcs, mail=mail)

    def days_pass(self, days: int, *, cron: bool = True) -> None:
        """One day after the other, each with its daily automation."""
        for _ in range(days):
            self.whmcs.clock.advance(timedelta(days=1))
            if cron:
                self.cron()

    def service(self, number: int) -> dict[str, Any]:
        (found,) = self.call("GetClientsProducts", serviceid=number)["products"]["product"]
        return dict(found)

    def invoice(self, number: int) -> dict[str, Any]:
        return self.call("GetInvoice", invoiceid=number)

    def invoices(self, **filters: Any) -> list[dict[str, Any]]:
        return list(self.call("GetInvoices", userid=self.client, limitnum=1000, **filters)["invoices"]["invoice"])

    def order_row(self, number: int) -> dict[str, Any]:
        return dict(self.call("GetOrders", id=number)["orders"]["order"][0])

    def mails(self) -> list[str]:
        """Subjects of what was mailed to the customer, oldest first."""
        return [each.subject for each in self.whmcs.mailbox.newest_first()[::-1]]
