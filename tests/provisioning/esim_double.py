"""The eSIM provider in memory, as provisioning sees it, and an order that needs it."""

from dataclasses import dataclass, field
from typing import Any

from integrations.errors import Rejected
from integrations.esim.schemas import Line, Ticket, TicketFailure
from integrations.salesforce.schemas import ProvisionableItem, ProvisionableOrder
from tests.provisioning.doubles import Double, activation, item, order

ICCID = "8981100000000000002"
ESIM_OPTIONS: dict[str, Any] = {"sim_type": {"value": "esim", "whmcs_option_id": 21, "whmcs_value": 211}}


@dataclass
class ESimDouble(Double):
    """An eSIM provider; `pace` says how far a new ticket gets by itself: done, accepted, or the code it fails with."""

    pace: str = "done"
    honours_keys: bool = True
    ticket_rows: dict[str, Ticket] = field(default_factory=dict)
    line_rows: dict[str, Line] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)  # ticket -> key
    plans: list[str] = field(default_factory=list)
    refuses_second_line: bool = True
    lines_made: list[str] = field(default_factory=list)

    def activate(self, *, idem_key: str, line_ref: str, order_ref: str, plan: str) -> Ticket:
        with self._called("activate"):
            known = self._of_key(idem_key)
            if known and self.honours_keys:
                return known[-1]
            if line_ref in self.line_rows and self.refuses_second_line:
                raise Rejected("esim", "activate", "LINE_EXISTS", "there is a line with this line_ref already")
            ref = f"T{len(self.ticket_rows) + 1}"
            self.keys[ref], self.ticket_rows[ref] = idem_key, Ticket(ticket=ref, line_ref=line_ref, state="accepted")
            self.line_rows[line_ref] = Line(line_ref=line_ref, status="issuing")
            self.plans.append(plan)
            accepted = self.ticket_rows[ref]
            if self.pace == "done":
                self.finish(ref)
            elif self.pace != "accepted":
                self.fail(ref, self.pace)
            return accepted

    def finish(self, ref: str) -> None:
        """What the provider does when it is ready."""
        line_ref = self.ticket_rows[ref].line_ref
        self.ticket_rows[ref] = Ticket(ticket=ref, line_ref=line_ref, state="done")
        self.line_rows[line_ref] = Line(line_ref=line_ref, status="active", iccid=ICCID)
        self.lines_made.append(line_ref)

    def fail(self, ref: str, code: str, *, retryable: bool = False) -> None:
        """What the provider does when it cannot."""
        line_ref = self.ticket_rows[ref].line_ref
        failure = TicketFailure(code=code, retryable=retryable)
        self.ticket_rows[ref] = Ticket(ticket=ref, line_ref=line_ref, state="failed", error=failure)
        self.line_rows.pop(line_ref)

    def ticket(self, ref: str) -> Ticket | None:
        with self._called("ticket"):
            return self.ticket_rows.get(ref)

    def tickets(self, idem_key: str) -> list[Ticket]:
        with self._called("tickets"):
            return self._of_key(idem_key)

    def line(self, line_ref: str) -> Line | None:
        with self._called("line"):
            return self.line_rows.get(line_ref)

    def _of_key(self, idem_key: str) -> list[Ticket]:
        return [self.ticket_rows[ref] for ref, key in self.keys.items() if key == idem_key]


def esim_item(**other: Any) -> ProvisionableItem:
    values: dict[str, Any] = {
        "sku": "SIM-VD-10",
        "category": "SIM",
        "whmcs_product_id": "201",
        "unit_price": 1980,
        "options": ESIM_OPTIONS,
        "esim_plan": "data-10",
    }
    return item(**{**values, **other})


def esim_order(**other: Any) -> ProvisionableOrder:
    """An approved order of one eSIM, its customer's identity verified."""
    fee = activation(sku="ACT-SIM", category="SIM", whmcs_product_id="291", unit_price=1100)
    return order(**{"identity_status": "Verified", "items": (esim_item(), fee), **other})
